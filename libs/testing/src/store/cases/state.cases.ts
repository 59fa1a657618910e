import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { assertBytes } from '../../conformance/assertions.js';
import { stateOf } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_item, index) => index));
/** More than an index of a database takes as it is, and random enough not to be compressed. */
const LONG = Buffer.concat(
  Array.from({ length: 640 }, (_item, index) => createHash('sha256').update(`${index}`).digest()),
);
/** Keys that a careless store takes for one another, or for nothing. */
const ODD_KEYS = [
  EVERY_BYTE,
  Buffer.of(0),
  Buffer.of(0, 0),
  Buffer.of(0x80),
  Buffer.of(0xc2, 0x80),
  Buffer.of(0xff, 0xfe),
  Buffer.from('a'),
  Buffer.from('A'),
  Buffer.from('a '),
  Buffer.from('a\0'),
  Buffer.from('\\x61'),
  Buffer.from("'; drop table states --"),
  LONG,
  Buffer.concat([LONG, Buffer.of(0)]),
];
/** Milliseconds. */
const SHORT_TTL = 50;
const LONG_TTL = 3_600_000;

/** States of keys. */
export const stateCases: readonly StoreConformanceCase[] = [
  storeCase('states are loaded in the order of their keys, repeated and unknown ones too', async (stage) => {
    const owner = await stage.owner();
    const [a, b, c, unknown] = stage.keys(4);
    await owner.commit({ states: [stateOf(a!, 'of a'), stateOf(b!, 'of b')] });
    await owner.put(c!, 'of c');
    const loaded = await owner.connection.load([c!, a!, unknown!, b!, a!, unknown!]);
    assert.deepEqual(
      loaded.map((state) => state && Buffer.from(state.bytes).toString()),
      ['of c', 'of a', undefined, 'of b', 'of a', undefined],
      'what was loaded',
    );
    assert.deepEqual(await owner.connection.load([]), [], 'what was loaded for no key');
  }),

  storeCase('the last of several states of a key stands, with its version', async (stage) => {
    const owner = await stage.owner();
    for (const version of [3, 0, 2_147_483_647, 7]) {
      await owner.commit({
        states: [stateOf(stage.key(), '', { state: { bytes: Buffer.from(`version ${version}`), version } })],
      });
      const [state] = await owner.connection.load([stage.key()]);
      assert.equal(state?.version, version, 'the version');
      await stage.assertState(owner.connection, stage.key(), `version ${version}`, 'the state');
    }
  }),

  storeCase('keys of any bytes are told apart', async (stage) => {
    const owner = await stage.owner();
    await owner.commit({ states: ODD_KEYS.map((key, index) => stateOf(key, `state ${index}`)) });
    const loaded = await owner.connection.load(ODD_KEYS);
    for (const index of ODD_KEYS.keys()) {
      assertBytes(loaded[index]?.bytes, Buffer.from(`state ${index}`), `the state of key ${index}`);
    }
    const entries = ODD_KEYS.map((key) => stage.entry({ key, messageId: 'the same' }));
    await owner.commit({ handled: entries });
    for (const entry of entries) await stage.assertEntry(owner.connection, entry, entry, 'the inbox');
    const messages = ODD_KEYS.map((key) => stage.message({ key, source: key }));
    await owner.commit({ outbox: messages });
    for (const [index, { message }] of (await stage.outbox(owner.connection)).entries()) {
      assertBytes(message.key, ODD_KEYS[index], `key ${index} in the outbox`);
      assertBytes(message.source, ODD_KEYS[index], `source ${index} in the outbox`);
    }
  }),

  storeCase('states of any bytes come back as they were, up to 1 MB and empty ones too', async (stage) => {
    const owner = await stage.owner();
    const large = Buffer.alloc(1_000_000, EVERY_BYTE);
    for (const bytes of [large, Buffer.of(), EVERY_BYTE, Buffer.from('\\x00'), Buffer.from('{"json":true}')]) {
      await owner.commit({ states: [{ key: stage.key(), state: { bytes, version: 0 }, ttl: undefined }] });
      const [state] = await owner.connection.load([stage.key()]);
      assertBytes(state?.bytes, bytes, 'the state');
    }
  }),

  storeCase('a forgotten key has no state, until it gets one again', async (stage) => {
    const owner = await stage.owner();
    const [key, other] = stage.keys(2);
    const forgotten = [stateOf(key!, '', { state: undefined })];
    await owner.commit({ states: forgotten });
    await stage.assertState(owner.connection, key!, undefined, 'the state of a key that never had one');
    await owner.commit({ states: [stateOf(key!, 'old'), stateOf(other!, 'other')] });
    await owner.commit({ states: forgotten });
    await stage.assertState(owner.connection, key!, undefined, 'the state after it was forgotten');
    await stage.assertState(owner.connection, other!, 'other', 'the state of another key');
    await owner.put(key!, 'new');
    await stage.assertState(owner.connection, key!, 'new', 'the new state');
  }),

  storeCase('what was handed over or given out can be changed without effect', async (stage) => {
    const owner = await stage.owner();
    const key = Buffer.from(stage.key());
    const bytes = Buffer.from('as it was');
    const [entry, message] = [stage.entry(), stage.message({ headers: { list: [1, Buffer.from('header')] } })];
    const payloadHash = Buffer.from(entry.payloadHash);
    const body = Buffer.from(message.body);
    await owner.commit({
      states: [{ key, state: { bytes, version: 0 }, ttl: undefined }],
      handled: [{ ...entry, payloadHash }],
      outbox: [{ ...message, body }],
    });
    for (const given of [key, bytes, payloadHash, body]) given.fill(0);
    for (const look of ['the first time', 'the second time']) {
      const [state] = await owner.connection.load([stage.key()]);
      const [found] = await owner.connection.lookUp([entry]);
      const [row] = await stage.outbox(owner.connection);
      assertBytes(state?.bytes, Buffer.from('as it was'), `the state ${look}`);
      assertBytes(found?.payloadHash, entry.payloadHash, `the payload's hash ${look}`);
      assertBytes(row?.message.body, message.body, `the body ${look}`);
      for (const taken of [state?.bytes, found?.payloadHash, row?.message.body]) taken?.fill(1);
    }
  }),

  storeCase('a state is gone when its ttl has passed without a change, and only then', async (stage) => {
    const owner = await stage.owner();
    const [brief, long, kept, renewed, shortened] = stage.keys(5);
    await owner.commit({
      states: [
        stateOf(shortened!, 'shortened', { ttl: LONG_TTL }),
        stateOf(long!, 'long', { ttl: LONG_TTL }),
        stateOf(kept!, 'kept', { ttl: SHORT_TTL }),
        stateOf(renewed!, 'renewed', { ttl: SHORT_TTL }),
      ],
    });
    await owner.commit({ states: [stateOf(kept!, 'kept')] });
    await owner.commit({ states: [stateOf(renewed!, 'renewed', { ttl: LONG_TTL })] });
    await owner.commit({
      states: [stateOf(brief!, 'brief', { ttl: SHORT_TTL }), stateOf(shortened!, 'shortened', { ttl: SHORT_TTL })],
    });
    await stage.becomes('a state to be gone', async () => {
      return (await owner.connection.load([brief!, shortened!])).every((state) => state === undefined);
    });
    await stage.assertState(owner.connection, long!, 'long', 'a state with a long ttl');
    await stage.assertState(owner.connection, kept!, 'kept', 'a state whose ttl was taken away');
    await stage.assertState(owner.connection, renewed!, 'renewed', 'a state whose ttl was made longer');
    await owner.put(brief!, 'again');
    await stage.assertState(owner.connection, brief!, 'again', 'a state that was made again');
  }),

  storeCase('a ttl of weeks and years is taken', async (stage) => {
    const owner = await stage.owner();
    for (const [index, days] of [30, 3_650, 36_500].entries()) {
      const key = stage.keys(3)[index]!;
      await owner.put(key, 'kept', { ttl: days * 86_400_000 });
      await stage.assertState(owner.connection, key, 'kept', `a state with a ttl of ${days} days`);
    }
  }),
];

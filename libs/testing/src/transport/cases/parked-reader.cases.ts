import assert from 'node:assert/strict';
import type { Delivery, OutgoingMessage, ParkedReader } from '@mississippi/core/transport';
import { canonicalize, encodeTerm, ErlangAtom } from '@mississippi/terms';
import { assertBytes, assertHeaders, assertIds, assertSameMessage } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import { shardOfKey } from '../../conformance/keys.js';
import type { Peer } from '../peer.js';
import type { RecordedSession } from '../recorded-session.js';
import type { Stage } from '../stage.js';
import { endings, sessionEndings } from './endings.js';

/** How a key is fed from the side queue. */
export const parkedReaderCases: readonly ConformanceCase[] = [
  conformanceCase('a reader gives a key’s parked messages in order, each until it is settled', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(4);
    const session = await park(stage, peer, messages);
    const reader = session.readParked(messages[0]!.key);
    for (const message of messages) {
      for (let again = 0; again < 2; again++) {
        const delivery = await read(stage, reader);
        assert.equal(delivery.messageId, message.messageId, 'the first message that is not settled');
        if (again === 1) session.settle(delivery);
      }
    }
  }),

  conformanceCase('a parked message is read as it was published', {}, async (stage) => {
    const peer = await stage.consumer();
    const message = stage.message(encodeTerm(Uint8Array.of(0x83, 0xff, 0, 0x80)), {
      body: Uint8Array.of(0xff, 0, 1),
      headers: { kind: 'reading', bytes: Uint8Array.of(0x80), nested: { list: [1, 'a'] } },
      properties: { type: 'reading', contentEncoding: 'gzip', replyTo: 'answers' },
    });
    const session = await park(stage, peer, [message]);
    assertSameMessage(await read(stage, session.readParked(message.key)), message);
  }),

  conformanceCase('a reader waits while its key has nothing parked', {}, async (stage) => {
    const peer = await stage.consumer();
    const [mine, other] = [stage.key(0, 0), stage.key(0, 1)];
    const session = await park(stage, peer, [stage.message(other)]);
    const reader = session.readParked(mine);
    for (let turn = 0; turn < 3; turn++) {
      const reading = stage.journal.watch('a waiting read', reader.next());
      await stage.roundTrips(peer, 1);
      assert.ok(!reading.isSettled, 'there is nothing to read yet');
      const message = stage.message(mine);
      await park(stage, peer, [message]);
      const delivery = await reading.value();
      assert.equal(delivery.messageId, message.messageId, 'what was parked meanwhile');
      session.settle(delivery);
    }
  }),

  conformanceCase('readers of different keys do not disturb each other', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = [0, 1, 0, 1, 0, 1].map((index) => stage.message(stage.key(0, index)));
    const session = await park(stage, peer, messages);
    const readers = [0, 1].map((index) => session.readParked(stage.key(0, index)));
    for (const [turn, message] of messages.entries()) {
      const delivery = await read(stage, readers[turn % 2]!);
      assert.equal(delivery.messageId, message.messageId, 'the next message of the key');
      session.settle(delivery);
    }
  }),

  ...endings.map((ending) =>
    conformanceCase(
      `what was read and not settled is parked still, in order, after ${ending.name}`,
      { needs: ending.needs },
      async (stage) => {
        const peer = await stage.consumer();
        const messages = stage.messages(3);
        const session = await park(stage, peer, messages);
        await read(stage, session.readParked(messages[0]!.key));
        const next = await (await ending.end(stage, peer, session)).session(0);
        assert.equal(next.parked.length, 3, 'what the next owner finds');
        const deliveries = await readAll(stage, next, messages[0]!.key, 3);
        assertIds(deliveries, messages, 'what the next owner reads');
        assert.ok(deliveries[0]!.redelivered, 'what an earlier owner read must be marked as redelivered');
      },
    ),
  ),

  conformanceCase('a parked message that is settled is gone for good, those of other keys stay', {}, async (stage) => {
    const peer = await stage.consumer();
    const [mine, other] = [stage.key(0, 0), stage.key(0, 1)];
    const messages = [mine, other, mine, other, mine].map((key) => stage.message(key));
    const session = await park(stage, peer, messages);
    await readAll(stage, session, mine, 2);
    await session.close();
    const next = await peer.session(0);
    assert.deepEqual(
      next.parked.map((entry) => Buffer.from(entry.key!).toString('hex')),
      [other, other, mine].map((key) => Buffer.from(key).toString('hex')),
      'what is left',
    );
    assertIds(await readAll(stage, next, mine, 1), [messages[4]!], 'what is left of the key');
    assertIds(await readAll(stage, next, other, 2), [messages[1]!, messages[3]!], 'what is left of the other');
    await next.close();
    assert.deepEqual((await peer.session(0)).parked, [], 'what is left at last');
  }),

  conformanceCase('to close a reader leaves the messages where they were', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(2);
    const session = await park(stage, peer, messages);
    const first = session.readParked(messages[0]!.key);
    await read(stage, first);
    first.close();
    assertIds(await readAll(stage, session, messages[0]!.key, 2), messages, 'what the next reader gives');
    const waiting = session.readParked(messages[0]!.key);
    waiting.next().catch(() => undefined);
    waiting.close();
    const later = stage.message(messages[0]!.key);
    await park(stage, peer, [later]);
    assertIds(await readAll(stage, session, later.key, 1), [later], 'what no closed reader may have taken');
  }),

  conformanceCase('a parked message can be dead-lettered', {}, async (stage) => {
    const peer = await stage.consumer();
    const first = stage.message(stage.key(0), { properties: { type: 'reading' } });
    const messages = [first, ...stage.messages(2)];
    const session = await park(stage, peer, messages);
    const reader = session.readParked(first.key);
    const dropped = await read(stage, reader);
    await stage.journal.settled('a dead letter', session.deadLetter(dropped, { mississippi_reason: 'dropped' }));
    assert.equal((await read(stage, reader)).messageId, messages[1]!.messageId, 'the next message');
    const letters = await stage.harness.deadLetters();
    assertIds(letters, [first], 'the dead letters');
    assertSameMessage(letters[0]!, first);
    assertHeaders(letters[0]!.headers, { mississippi_reason: 'dropped' }, 'the dead letter');
    await session.close();
    const next = await peer.session(0);
    assert.equal(next.parked.length, 2, 'what is left');
    assertIds(await readAll(stage, next, first.key, 2), messages.slice(1), 'what is left');
  }),

  ...sessionEndings.map((ending) =>
    conformanceCase(`a waiting read is rejected after ${ending.name}`, { needs: ending.needs }, async (stage) => {
      const peer = await stage.consumer();
      const session = await peer.session(0);
      const reading = stage.journal.watch('a waiting read', session.readParked(stage.key(0)).next());
      await ending.end(stage, peer, session);
      await reading.error();
    }),
  ),

  conformanceCase('a key is one key, however its producer spelled it', { needs: ['injectRaw'] }, async (stage) => {
    // An atom as Erlang/OTP 25 wrote it: ATOM_EXT with Latin-1 instead of SMALL_ATOM_UTF8_EXT.
    const spelled = Uint8Array.of(131, 100, 0, 6, 0x64, 0x65, 0x76, 0x69, 0x63, 0x65);
    const key = encodeTerm(new ErlangAtom('device'));
    const shard = shardOfKey(key, stage.totalCount);
    const peer = await stage.consumer();
    const [first, second] = [stage.message(key), stage.message(key)];
    const { messageId, timestamp } = first;
    await stage.inject(shard, { key: spelled, body: first.body, messageId, timestamp });
    await peer.publish(second);
    const session = await peer.session(shard);
    const deliveries = await session.received(2);
    assertBytes(deliveries[0]!.key, spelled, 'the key as it was on the wire');
    for (const delivery of deliveries) await stage.journal.settled('a move', session.park(delivery, 'held'));
    await session.close();
    const next = await peer.session(shard);
    for (const entry of next.parked) assertBytes(canonicalize(entry.key!), key, 'the key of what is parked');
    assertIds(await readAll(stage, next, key, 2), [first, second], 'what the canonical key reads');
  }),

  conformanceCase(
    'what has no key that can be read is parked, listed and read as anything else',
    { needs: ['injectRaw'] },
    async (stage) => {
      const peer = await stage.consumer();
      const [message] = stage.messages(1);
      await stage.inject(0, { body: Buffer.from('none'), messageId: 'none' });
      await peer.publish(message!);
      await stage.inject(0, { key: Uint8Array.of(0xde, 0xad), body: Buffer.from('odd'), messageId: 'odd' });
      const session = await peer.session(0);
      for (const delivery of await session.received(3)) {
        await stage.journal.settled('a move', session.park(delivery, 'held'));
      }
      await session.close();
      const next = await peer.session(0);
      const listed = next.parked.map(({ key }) => (key === undefined ? 'none' : Buffer.from(key).toString('hex')));
      assert.deepEqual(
        listed,
        ['none', Buffer.from(message!.key).toString('hex'), 'none'],
        'the keys of what is parked',
      );
      const reader = next.readParked(undefined);
      for (const messageId of ['none', 'odd']) {
        const delivery = await read(stage, reader);
        assert.equal(delivery.messageId, messageId, 'the first message that is not settled');
        const notes = { mississippi_reason: 'key_undecodable' };
        await stage.journal.settled('a dead letter', next.deadLetter(delivery, notes));
      }
      reader.close();
      assertIds(await stage.harness.deadLetters(), [{ messageId: 'none' }, { messageId: 'odd' }], 'the dead letters');
      assertIds(await readAll(stage, next, message!.key, 1), [message!], 'what is left');
    },
  ),
];

/** Publishes messages of one shard and parks them. */
async function park(stage: Stage, peer: Peer, messages: readonly OutgoingMessage[]): Promise<RecordedSession> {
  const session = await peer.session(messages[0]!.shard);
  const before = session.deliveries.length;
  await peer.publish(...messages);
  const deliveries = await session.received(before + messages.length);
  for (const delivery of deliveries.slice(before)) {
    await stage.journal.settled('a move', session.park(delivery, 'held', { mississippi_reason: 'operator' }));
  }
  return session;
}

function read(stage: Stage, reader: ParkedReader): Promise<Delivery> {
  return stage.journal.settled('a read of the side queue', reader.next());
}

/** Reads and settles so many messages of a key. */
async function readAll(stage: Stage, session: RecordedSession, key: Uint8Array, count: number): Promise<Delivery[]> {
  const reader = session.readParked(key);
  const deliveries: Delivery[] = [];
  while (deliveries.length < count) {
    const delivery = await read(stage, reader);
    deliveries.push(delivery);
    session.settle(delivery);
  }
  reader.close();
  return deliveries;
}

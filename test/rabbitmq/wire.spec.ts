import { randomBytes } from 'node:crypto';
import { decodeShardingKey, NOTE_HEADERS, PUBLISHED_AT_HEADER, shardOf } from '@mississippi/core';
import { canonicalize, encodeTerm } from '@mississippi/terms';
import fc from 'fast-check';
import { vectorLimits, vectors, type Vector } from '../../libs/terms/test/vectors.js';
import { startCollectingApp, type CollectingApp } from '../support/collecting-app.js';
import { erlangPeer } from '../support/erlang-peer.js';
import { binaryTerm, evalJson, publishFromErlang, publishRawFromErlang, readInErlang } from '../support/erlang.js';
import type { BrokerNode } from '../support/rabbitmq-node.js';
import { deleteQueues, QueueWatch } from '../support/raw-broker.js';

const TOTAL = 128;
const MOST_KEY_BYTES = 16_384;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const usable = vectors.filter((vector) => vector.otp26.length <= MOST_KEY_BYTES);
const bytesOf = (key: Uint8Array): string => Buffer.from(key).toString('hex');
/** -0.0 is carried as 0.0: up to OTP 26 they are one term (`=:=`), in OTP 27 two. */
const carried = ({ term }: Vector): string => (term === '-0.0' ? '0.0' : term);
const canonicalOf = (key: Uint8Array): string => bytesOf(canonicalize(key, vectorLimits));
const encodedKey = (message: { context: { key: Parameters<typeof encodeTerm>[0] } }): string =>
  canonicalOf(encodeTerm(message.context.key, vectorLimits));

let peer: BrokerNode;
let prefix: string;

beforeAll(async () => {
  peer = await erlangPeer();
});

afterAll(async () => {
  await peer.stop();
});

describe('messages that Erlang wrote', () => {
  let consumer: CollectingApp;

  beforeEach(async () => {
    prefix = `wire-${randomBytes(4).toString('hex')}-`;
    consumer = await startCollectingApp({ urls: [peer.url], queues: { prefix } });
  });

  afterEach(async () => {
    await consumer.app.close();
    await deleteQueues(peer.url, prefix, TOTAL);
  });

  test('arrive with the right key, from the right queue, at the first attempt, whatever their key', async () => {
    publishFromErlang(
      peer,
      prefix,
      TOTAL,
      usable.map((vector) => vector.term),
    );
    const messages = await consumer.collection.handled(usable.length);
    expect(new Set(messages.map((message) => message.payload)).size).toBe(usable.length);
    for (const message of messages) {
      const vector = usable[message.payload as number]!;
      expect([vector.term, encodedKey(message)]).toEqual([vector.term, canonicalOf(vector.otp26)]);
      expect([vector.term, message.context.shard]).toEqual([vector.term, vector.hashes.get(TOTAL)]);
      expect(message.context).toMatchObject({ attempt: 1, redelivered: false, messageId: String(message.payload) });
    }
  });

  test('are dead-lettered with a reason when their key is too large', async () => {
    const large = vectors.filter((vector) => vector.otp26.length > MOST_KEY_BYTES);
    // The longest is too long for a command line.
    const terms = large.map(({ term }) =>
      /^\[1(,1)*\]$/.test(term) ? `lists:duplicate(${(term.length - 1) / 2}, 1)` : term,
    );
    const sizes = [16_380, 20_000, 65_000, 100_000];
    terms.push(...sizes.map((size) => `binary:copy(<<7>>, ${size})`));
    const dead = await QueueWatch.open(peer.url, `${prefix}dead_letters`);
    publishFromErlang(peer, prefix, TOTAL, terms);
    const letters = await dead.came(terms.length);
    await dead.close();
    expect(letters.map((letter) => String(letter.body)).sort()).toEqual(terms.map((_, index) => String(index)).sort());
    for (const { headers } of letters) {
      expect(headers[NOTE_HEADERS.reason]).toBe('key_undecodable');
      expect(headers[NOTE_HEADERS.error]).toContain('more than 16384 bytes');
    }
    // What still fits in the headers of a copy is kept.
    expect(letters.filter((letter) => letter.key !== undefined)).toHaveLength(2);
  });

  test('have the type that Erlang gave them', async () => {
    const queue = `${prefix}${shardOf('k')}`;
    const headers = '[{<<"sharding_key">>, longstr, term_to_binary(<<"k">>)}]';
    publishRawFromErlang(peer, queue, { headers, type: '<<"größe.changed"/utf8>>', body: '<<"0">>' });
    const [message] = await consumer.collection.handled(1);
    expect(message!.context).toMatchObject({ key: 'k', type: 'größe.changed', attempt: 1 });
  });

  test('are taken as well when their key is a byte array', async () => {
    const terms = ['<<0,131,255,128>>', '{device,7}', '-1'];
    publishFromErlang(peer, prefix, TOTAL, terms, 'binary');
    const messages = await consumer.collection.handled(terms.length);
    expect(messages.map((message) => message.context.attempt)).toEqual([1, 1, 1]);
    const binary = messages.find((message) => message.payload === 0)!;
    expect(encodedKey(binary)).toBe(bytesOf(encodeTerm(Uint8Array.of(0, 131, 255, 128))));
  });

  test('arrive byte by byte when their key is a random device id', async () => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(deviceIds, async (ids) => {
        publishFromErlang(peer, prefix, TOTAL, ids.map(binaryTerm));
        sent += ids.length;
        const messages = (await consumer.collection.handled(sent)).slice(-ids.length);
        for (const message of messages) {
          const id = ids[message.payload as number]!;
          expect(encodedKey(message)).toBe(bytesOf(encodeTerm(id)));
          expect(message.context.attempt).toBe(1);
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });
});

describe('messages for Erlang', () => {
  let app: CollectingApp;

  beforeEach(async () => {
    prefix = `wire-${randomBytes(4).toString('hex')}-`;
    app = await startCollectingApp({ urls: [peer.url], queues: { prefix } }, { producerOnly: true, keys: 'any' });
  });

  afterEach(async () => {
    await app.app.close();
    await deleteQueues(peer.url, prefix, TOTAL);
  });

  test('carry every key as the term that Erlang means, in the queue that Erlang means', async () => {
    const before = Math.floor(Date.now() / 1_000);
    await Promise.all(
      usable.map((vector, index) => app.producer.publish(index, { shardingKey: decodeShardingKey(vector.otp26) })),
    );
    const after = Math.floor(Date.now() / 1_000);
    const read = readInErlang(peer, prefix, TOTAL, usable.map(carried));
    expect(read).toHaveLength(usable.length);
    for (const message of read) {
      const vector = usable[Number(message.body)]!;
      const { queue, keyIsTerm } = message;
      expect({ term: vector.term, queue, keyIsTerm }).toEqual({
        term: vector.term,
        queue: vector.hashes.get(TOTAL),
        keyIsTerm: true,
      });
      expect(message.keyType).toBe('longstr');
      expect(message.properties).toEqual(['headers', 'delivery_mode', 'message_id', 'timestamp']);
      expect(message.deliveryMode).toBe(2);
      expect(message.messageId).toMatch(UUID);
      expect(message.timestamp).toBeGreaterThanOrEqual(before);
      expect(message.timestamp).toBeLessThanOrEqual(after);
      expect(message.headers.map(([name, type]) => [name, type])).toEqual([[PUBLISHED_AT_HEADER, 'long']]);
    }
    expect(new Set(read.map((message) => message.messageId)).size).toBe(usable.length);
  });

  test('keep a message id and a timestamp that were given', async () => {
    await app.producer.publish(0, { shardingKey: 'k', messageId: 'ünique', timestamp: 4_294_967_296 });
    const [message] = readInErlang(peer, prefix, TOTAL, ['<<"k">>']);
    expect(message).toMatchObject({ messageId: 'ünique', timestamp: 4_294_967_296, keyIsTerm: true });
  });

  test('have a type beside all that Erlang reads, and nothing else is different', async () => {
    const plain = { shardingKey: 'k', messageId: 'id', timestamp: 7 };
    await app.producer.publish(0, plain);
    await app.producer.publish(0, { ...plain, type: 'größe.changed' });
    const [without, withType] = readInErlang(peer, prefix, TOTAL, ['<<"k">>']);
    const properties = ['headers', 'delivery_mode', 'message_id', 'timestamp'];
    expect(without).toMatchObject({ keyIsTerm: true, keyType: 'longstr', type: 'undefined', properties });
    const headers = [[PUBLISHED_AT_HEADER, 'long', expect.any(String) as unknown]];
    expect(withType).toEqual({ ...without, type: 'größe.changed', properties: [...properties, 'type'], headers });
  });

  test('have headers of the types that an Elixir producer writes', async () => {
    const started = Date.now();
    await app.producer.publish(0, {
      shardingKey: 'k',
      headers: {
        text: 'größe',
        empty: '',
        small: 1,
        negative: -1,
        large: Number.MAX_SAFE_INTEGER,
        huge: 2n ** 62n,
        yes: true,
        no: false,
        list: ['a', 1],
        half: 0.5,
        bytes: Uint8Array.of(1),
        table: { inner: 7 },
      },
    });
    const [message] = readInErlang(peer, prefix, TOTAL, ['<<"k">>']);
    const headers = Object.fromEntries(message!.headers.map(([name, type, value]) => [name, [type, value]]));
    const publishedAt = Number(headers[PUBLISHED_AT_HEADER]![1]);
    expect(publishedAt).toBeGreaterThanOrEqual(started);
    expect(publishedAt).toBeLessThanOrEqual(Date.now());
    expect(headers).toEqual({
      [PUBLISHED_AT_HEADER]: ['long', String(publishedAt)],
      text: ['longstr', '<<103,114,195,182,195,159,101>>'],
      empty: ['longstr', '<<>>'],
      small: ['long', '1'],
      negative: ['long', '-1'],
      large: ['long', '9007199254740991'],
      huge: ['long', String(2n ** 62n)],
      yes: ['bool', 'true'],
      no: ['bool', 'false'],
      list: ['array', '[{longstr,<<"a">>},{long,1}]'],
      half: ['double', '0.5'],
      bytes: ['binary', '<<1>>'],
      table: ['table', '[{<<"inner">>,long,7}]'],
    });
  });

  test('go to the queue and carry the bytes that Erlang computes for random device ids', async () => {
    await fc.assert(
      fc.asyncProperty(deviceIds, async (ids) => {
        await Promise.all(ids.map((id, index) => app.producer.publish(index, { shardingKey: id })));
        const terms = ids.map(binaryTerm);
        const queues = evalJson(peer, `[erlang:phash2(Key, ${TOTAL}) || Key <- [${terms.join(',')}]]`) as number[];
        const read = readInErlang(peer, prefix, TOTAL, terms);
        expect(read).toHaveLength(ids.length);
        for (const message of read) {
          expect(message).toMatchObject({ keyType: 'longstr', keyIsTerm: true, queue: queues[Number(message.body)] });
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });
});

const deviceIds = fc.uniqueArray(fc.uint8Array({ minLength: 16, maxLength: 16 }), {
  minLength: 100,
  maxLength: 150,
  selector: bytesOf,
});

import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { NOTE_HEADERS } from '@mississippi/core';
import { shardOfEncoded } from '@mississippi/core/transport';
import { encodeTerm } from '@mississippi/terms';
import type { DeadLetter, RawMessage } from '@mississippi/testing/transport';
import { DROPPED_HEADER } from '../../libs/rabbitmq/src/wire/header-names.js';
import { sizeOf } from '../../libs/rabbitmq/src/wire/header-values.js';
import { startCollectingApp, type CollectingApp } from '../support/collecting-app.js';
import { erlangPeer } from '../support/erlang-peer.js';
import { binaryTerm, publishRawFromErlang, type ErlangMessage } from '../support/erlang.js';
import type { BrokerNode } from '../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker, published, QueueWatch } from '../support/raw-broker.js';
import { nestLists, nestTables, publishTampered } from '../support/tampered.js';

const TOTAL = 4;
const KEY = encodeTerm('device');
const ELSEWHERE = ['a', 'b', 'c', 'd', 'e'].map((key) => encodeTerm(key)).find((key) => shard(key) !== shard(KEY))!;
const JSON_BODY = Buffer.from('"fine"');

function shard(key: Uint8Array): number {
  return shardOfEncoded(key, TOTAL);
}

/** A term of 8 KB that inflates to 8 MB. */
function bomb(claimed: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(claimed);
  return Buffer.concat([Buffer.of(131, 80), size, deflateSync(Buffer.alloc(8 * 1024 * 1024))]);
}

/** What is wrong, the message, and the reason it is dead-lettered for. */
const FOREIGN: readonly (readonly [string, RawMessage, string])[] = [
  ['no headers at all', { body: JSON_BODY }, 'key_missing'],
  ['no properties and no body', { body: Buffer.alloc(0) }, 'key_missing'],
  ['no key among the headers', { body: JSON_BODY, headers: { from: 'elsewhere' } }, 'key_missing'],
  ['an integer as the key', { body: JSON_BODY, headers: { sharding_key: 7 } }, 'key_missing'],
  ['true as the key', { body: JSON_BODY, headers: { sharding_key: true } }, 'key_missing'],
  ['nothing as the key', { body: JSON_BODY, headers: { sharding_key: null } }, 'key_missing'],
  ['a list as the key', { body: JSON_BODY, headers: { sharding_key: ['k'] } }, 'key_missing'],
  ['a table as the key', { body: JSON_BODY, headers: { sharding_key: { k: 1 } } }, 'key_missing'],
  ['a key that is plain text', { body: JSON_BODY, key: Buffer.from('device') }, 'key_undecodable'],
  ['an empty key', { body: JSON_BODY, key: Buffer.alloc(0) }, 'key_undecodable'],
  ['a truncated term', { body: JSON_BODY, key: KEY.subarray(0, -1) }, 'key_undecodable'],
  ['a term with more behind it', { body: JSON_BODY, key: Buffer.concat([KEY, KEY]) }, 'key_undecodable'],
  [
    'a binary that claims 4 GB',
    { body: JSON_BODY, key: Buffer.of(131, 109, 255, 255, 255, 255, 1) },
    'key_undecodable',
  ],
  [
    'a list that claims 4 billion',
    { body: JSON_BODY, key: Buffer.of(131, 108, 255, 255, 255, 255) },
    'key_undecodable',
  ],
  ['a bomb that claims 8 MB', { body: JSON_BODY, key: bomb(8 * 1024 * 1024) }, 'key_undecodable'],
  ['a bomb that claims 10 bytes', { body: JSON_BODY, key: bomb(10) }, 'key_undecodable'],
  ['a term nested 5,000 deep', { body: JSON_BODY, key: nested(5_000) }, 'key_undecodable'],
  [
    'a function as the key',
    { body: JSON_BODY, key: Buffer.of(131, 113, 119, 1, 97, 119, 1, 98, 97, 0) },
    'key_undecodable',
  ],
  ['a key of another shard', { body: JSON_BODY, key: ELSEWHERE }, 'wrong_shard'],
  ['a payload that is no JSON', { body: Buffer.from('{"a":'), key: KEY }, 'payload_undecodable'],
  ['an empty payload', { body: Buffer.alloc(0), key: KEY }, 'payload_undecodable'],
  ['10 MB that are no JSON', { body: randomBytes(10 * 1024 * 1024), key: KEY }, 'payload_undecodable'],
];

function nested(depth: number): Buffer {
  const lists = Array.from({ length: depth }, () => Buffer.of(108, 0, 0, 0, 1));
  return Buffer.concat([Buffer.of(131), ...lists, Buffer.of(106), Buffer.alloc(depth, 106)]);
}

const LONG = `{<<"one">>,longstr,binary:copy(<<"1">>,50000)},{<<"two">>,longstr,binary:copy(<<"2">>,50000)}`;
const KEYED = `{<<"sharding_key">>,longstr,${binaryTerm(KEY)}}`;

/** What only somebody inside the broker can write, and which header is dropped from the copy. */
const HOSTILE: readonly (readonly [string, ErlangMessage, string, string?])[] = [
  ['100 KB of headers and no key', { headers: `[${LONG}]`, body: '<<"1">>' }, 'key_missing', 'two'],
  ['100 KB of headers and no JSON', { headers: `[${LONG},${KEYED}]`, body: '<<"{">>' }, 'payload_undecodable', 'two'],
  [
    'a key of 100 KB',
    { headers: `[{<<"sharding_key">>,longstr,binary:copy(<<131>>,100000)}]`, body: '<<"1">>' },
    'key_undecodable',
    'sharding_key',
  ],
  [
    'a message id of 255 bytes that are no text, and the largest timestamp',
    { headers: '[]', messageId: 'binary:copy(<<255>>,255)', timestamp: '18446744073709551615', body: '<<"1">>' },
    'key_missing',
  ],
  [
    'a header name of 255 bytes that are no text',
    { headers: '[{binary:copy(<<255>>,255),bool,true}]', body: '<<"1">>' },
    'key_missing',
    '\ufffd'.repeat(10),
  ],
  [
    'such a name in a table',
    { headers: '[{<<"table">>,table,[{binary:copy(<<255>>,255),bool,true}]}]', body: '<<"1">>' },
    'key_missing',
    'table',
  ],
  [
    'a key in a table __proto__',
    {
      headers: `[{<<"__proto__">>,table,[{<<"sharding_key">>,binary,${binaryTerm(KEY)}}]}]`,
      body: '<<"1">>',
    },
    'key_missing',
  ],
  ['a whole number that is too large', { headers: '[{<<"d">>,double,1.0e300}]', body: '<<"1">>' }, 'key_missing'],
  [
    'headers of every type',
    {
      headers: `[{<<"a">>,timestamp,18446744073709551615},{<<"b">>,decimal,{2,314}},{<<"c">>,byte,-1},
        {<<"d">>,short,-1},{<<"e">>,signedint,-1},{<<"f">>,long,-9223372036854775808},{<<"g">>,float,0.5},
        {<<"h">>,void,undefined},{<<"i">>,binary,<<255>>},{<<"j">>,array,[{table,[{<<"k">>,longstr,<<255>>}]}]}]`,
      body: '<<"1">>',
    },
    'key_missing',
  ],
];

describe('a malformed message is dead-lettered, and the messages behind it are handled', () => {
  let peer: BrokerNode;
  let app: CollectingApp;
  let dead: QueueWatch;
  const prefix = `malformed-${randomBytes(4).toString('hex')}-`;
  const queue = `${prefix}${shard(KEY)}`;

  beforeAll(async () => {
    peer = await erlangPeer();
    app = await startCollectingApp({ urls: [peer.url], queues: { prefix, totalCount: TOTAL } });
    dead = await QueueWatch.open(peer.url, `${prefix}dead_letters`);
  });

  afterAll(async () => {
    await dead.close();
    await app.app.close();
    await deleteQueues(peer.url, prefix, TOTAL);
    await peer.stop();
  });

  /** Sends a good message behind the bad one and waits for both; returns the dead letter. */
  async function letterOf(bad: () => Promise<void> | void): Promise<DeadLetter> {
    const handled = app.collection.messages.length;
    const letters = dead.messages.length;
    await bad();
    const good = `good ${handled}`;
    await app.producer.publish(good, { shardingKey: 'device' });
    const message = (await app.collection.handled(handled + 1)).at(-1)!;
    expect(message.payload).toBe(good);
    expect(message.context).toMatchObject({ attempt: 1, redelivered: false, epoch: 1 });
    return (await dead.came(letters + 1)).at(-1)!;
  }

  function expectNotes(letter: DeadLetter, reason: string): void {
    const { headers } = letter;
    expect(headers[NOTE_HEADERS.reason]).toBe(reason);
    expect(headers[NOTE_HEADERS.error]).toEqual(expect.stringMatching(/./));
    expect(headers[NOTE_HEADERS.shard]).toBe(shard(KEY));
    expect(headers[NOTE_HEADERS.time]).toBeGreaterThan(1_700_000_000_000);
    const notes = [...Object.values(NOTE_HEADERS), DROPPED_HEADER].filter((name) => name in headers);
    expect(sizeOf(Object.fromEntries(notes.map((name) => [name, headers[name]!])))).toBeLessThanOrEqual(4_096);
  }

  for (const [name, message, reason] of FOREIGN) {
    test(`with ${name}`, async () => {
      const letter = await letterOf(() => onRawBroker(peer.url, (channel) => published(channel, queue, message)));
      expectNotes(letter, reason);
      expect(Buffer.compare(letter.body, message.body)).toBe(0);
      if (message.key === undefined) expect(letter.headers).toMatchObject({ ...message.headers });
      else expect(Buffer.compare(letter.key!, message.key)).toBe(0);
    });
  }

  for (const [name, message, reason, dropped] of HOSTILE) {
    test(`with ${name}`, async () => {
      const letter = await letterOf(() => publishRawFromErlang(peer, queue, message));
      expectNotes(letter, reason);
      if (dropped === undefined) expect(letter.headers).not.toHaveProperty([DROPPED_HEADER]);
      else expect(letter.headers[DROPPED_HEADER]).toContain(dropped);
    });
  }

  const tampered = [
    ['lists nested 12,000 deep', 'A', 60_000, nestLists],
    ['tables nested 8,000 deep', 'F', 59_997, nestTables],
    ['an unsigned integer of 64 bits', 'A', 9, (value: Buffer) => value.fill(255).write('L')],
  ] as const;
  for (const [name, type, size, fill] of tampered) {
    test(`with a header of ${name}`, async () => {
      const letter = await letterOf(() => publishTampered(peer.url, queue, type, size, fill, '1'));
      expectNotes(letter, 'key_missing');
      expect(letter.headers).toHaveProperty('tampered');
    });
  }

  test('with a header that has the broker copy it into its own shard', async () => {
    const letters = dead.messages.length;
    const message = { body: Buffer.from('{'), key: KEY, headers: { CC: [queue], BCC: [queue] } };
    await onRawBroker(peer.url, (channel) => published(channel, queue, message));
    await dead.came(letters + 1);
    // A copy of the first would be handled before the second.
    await onRawBroker(peer.url, (channel) => published(channel, queue, { body: Buffer.from('['), key: KEY }));
    const came = (await dead.came(letters + 2)).slice(letters);
    expect(came.map(({ body }) => Buffer.from(body).toString())).toEqual(['{', '[']);
  });

  test('a good message may have 10 MB', async () => {
    const payload = 'x'.repeat(10 * 1024 * 1024);
    const handled = app.collection.messages.length;
    await app.producer.publish(payload, { shardingKey: 'device' });
    const messages = await app.collection.handled(handled + 1);
    expect(messages.at(-1)!.payload === payload).toBe(true);
  });

  test('a good message may have 100 KB of headers', async () => {
    const handled = app.collection.messages.length;
    publishRawFromErlang(peer, queue, { headers: `[${LONG},${KEYED}]`, body: '<<"7">>' });
    const messages = await app.collection.handled(handled + 1);
    expect(messages.at(-1)!.payload).toBe(7);
    expect(messages.at(-1)!.context.headers).toEqual({ one: '1'.repeat(50_000), two: '2'.repeat(50_000) });
  });

  test('the connection of the consumer was never lost', () => {
    expect(app.collection.lines.filter((line) => /lost/.test(line))).toEqual([]);
  });
});

test('what is malformed in a side queue is dead-lettered by the next owner, whose shard goes on', async () => {
  const node = await erlangPeer();
  const prefix = `strays-${randomBytes(4).toString('hex')}-`;
  const queue = `${prefix}${shard(KEY)}`;
  const options = { urls: [node.url], queues: { prefix, totalCount: TOTAL } };
  const strays = FOREIGN.filter(([, , reason]) => !reason.startsWith('payload_'));
  try {
    const first = await startCollectingApp(options); // Declares the queues.
    await first.app.close();
    const dead = await QueueWatch.open(node.url, `${prefix}dead_letters`);
    await onRawBroker(node.url, async (channel) => {
      for (const [, message] of strays) await published(channel, `${queue}.parked`, message);
    });
    const next = await startCollectingApp(options);
    await next.producer.publish('good', { shardingKey: 'device' });
    expect((await next.collection.handled(1))[0]).toMatchObject({ payload: 'good' });
    const letters = await dead.came(strays.length);
    // Those without a key that can be read come one after the other, and so do those of a key.
    const reasons = letters.map(({ headers }) => headers[NOTE_HEADERS.reason]);
    expect(reasons.filter((reason) => reason !== 'wrong_shard')).toEqual(
      strays.map(([, , reason]) => reason).filter((reason) => reason !== 'wrong_shard'),
    );
    expect(reasons.filter((reason) => reason === 'wrong_shard')).toHaveLength(1);
    await dead.close();
    await next.app.close();
    expect(next.collection.lines.filter((line) => /given up|cannot be consumed/.test(line))).toEqual([]);
    expect(await onRawBroker(node.url, (channel) => channel.checkQueue(`${queue}.parked`))).toMatchObject({
      messageCount: 0,
    });
  } finally {
    await deleteQueues(node.url, prefix, TOTAL);
    await node.stop();
  }
});

import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import { encodeTerm } from '@mississippi/terms';
import { sharedUrl } from '../../support/broker.js';
import { erlangPeer } from '../../support/erlang-peer.js';
import { OpeningConsumer, type Opening } from '../../support/opening-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import type { BrokerNode } from '../../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker, taken } from '../../support/raw-broker.js';

const KEY = encodeTerm('k');

let peer: BrokerNode;
let prefix: string;
let connection: TransportConnection;
let consumer: OpeningConsumer;
let logs: LogLines;
let consuming: Promise<void>;

beforeAll(async () => {
  peer = await erlangPeer();
});

beforeEach(() => {
  prefix = `side-${randomBytes(4).toString('hex')}-`;
  logs = new LogLines();
});

afterEach(async () => {
  await connection.close();
  for (const opening of consumer.openings) opening.accept();
  await consuming;
  await deleteQueues(sharedUrl(), prefix, 1);
});

afterAll(() => peer.stop());

async function start(url = sharedUrl()): Promise<void> {
  consumer = new OpeningConsumer();
  const transport = rabbitmq({ urls: [url], claimInterval: 50, queues: { prefix, totalCount: 1 } });
  connection = await transport.connect({ instance: 'side', logger: logs, clock: systemClock, keyText: inspectKey });
  consuming = connection.consume(consumer);
}

async function opened(which = 1): Promise<Opening> {
  const opening = await consumer.opening(0, which);
  opening.accept();
  return opening;
}

/** Publishes some messages and parks them. */
async function parked(opening: Opening, count: number): Promise<void> {
  const message = { shard: 0, key: KEY, body: Buffer.alloc(10_000), headers: { own: 'x' }, timestamp: 0 };
  for (let index = 0; index < count; index++) {
    await connection.publisher.publish({ ...message, messageId: String(index) }, 10_000);
  }
  await opening.received(count);
  await Promise.all(
    opening.deliveries.map((delivery) => opening.session.park(delivery, 'held', { mississippi_reason: 'r' })),
  );
}

test('what lies in a side queue is known in order, by key, id and notes, without bodies', async () => {
  await start();
  const first = await opened();
  await parked(first, 3);
  await first.session.close();
  const second = await opened(2);
  expect(second.session.parked).toEqual(
    Array.from({ length: 3 }, (_, index) => ({
      key: Buffer.from(KEY),
      messageId: String(index),
      mode: 'held',
      notes: { mississippi_parked: 'held', mississippi_reason: 'r', own: 'x' },
    })),
  );
  // One key is one object, whatever the number of its messages.
  expect(new Set(second.session.parked.map(({ key }) => key)).size).toBe(1);
});

test('a reader whose message has expired does not wait for ever: the shard is lost, the log says why, and it goes on', async () => {
  await start();
  const first = await opened();
  await parked(first, 2);
  // As a message-ttl policy does.
  await onRawBroker(sharedUrl(), (channel) => channel.purgeQueue(`${prefix}0.parked`));
  const reading = first.session.readParked(KEY).next();
  await expect(reading).rejects.toThrow(/no longer owned/);
  await logs.untilLogged(
    /^Shard 0 was lost, and is claimed again: messages have vanished from the side queue .*message-ttl/,
  );
  const second = await opened(2);
  expect(second.session.parked).toEqual([]);
});

test('a reader that gets its messages while others come is not disturbed', async () => {
  await start();
  const first = await opened();
  await parked(first, 2);
  const reader = first.session.readParked(KEY);
  for (let index = 0; index < 2; index++) {
    const delivery = await reader.next();
    expect(delivery.messageId).toBe(String(index));
    first.session.settle(delivery);
  }
  reader.close();
  expect(first.lostBy).toEqual([]);
});

test('a shard whose messages expire while its side queue is read is opened with what is left', async () => {
  await start();
  const first = await opened();
  await parked(first, 5);
  peer.ctl('set_policy', '--apply-to', 'queues', prefix, `^${prefix}0.parked`, '{"message-ttl":1}');
  await first.session.close();
  const second = await opened(2);
  expect(second.session.parked.length).toBeLessThanOrEqual(5);
  peer.ctl('clear_policy', prefix);
});

test('a shard whose side queue has another reader holds up neither the start nor the others, and the log names it', async () => {
  const queue = `${prefix}0.parked`;
  await onRawBroker(sharedUrl(), async (channel) => {
    await channel.assertQueue(queue);
    await channel.consume(queue, () => undefined);
    await start();
    await consuming;
    await logs.untilLogged(
      /^Shard 0 cannot be consumed yet: the side queue '.*parked' has had another consumer for 5 s/,
    );
    expect(connection.status().shards).toBe(0);
  });
  await opened(); // That reader has gone.
});

test('with small frames, what has large headers is dead-lettered and parked all the same, with shorter notes', async () => {
  await start(`${sharedUrl()}?frameMax=16384`);
  const opening = await opened();
  const { session } = opening;
  const headers = { own: 'x'.repeat(15_000) };
  const message = { shard: 0, key: KEY, body: Buffer.alloc(1), headers, timestamp: 0 };
  for (const messageId of ['dead', 'parked']) await connection.publisher.publish({ ...message, messageId }, 10_000);
  await opening.received(2);
  const [dead, moved] = opening.deliveries;
  const notes = {
    mississippi_reason: 'discarded',
    mississippi_error: 'e'.repeat(1_400),
    mississippi_stack: 's'.repeat(1_500),
  };
  await session.deadLetter(dead!, notes);
  await session.park(moved!, 'held', notes);
  const [letter] = await onRawBroker(sharedUrl(), (channel) => taken(channel, `${prefix}dead_letters`));
  const parkedOne = await session.readParked(KEY).next();
  for (const copy of [letter!, parkedOne]) {
    expect(copy.headers).toMatchObject({ ...headers, mississippi_reason: 'discarded' });
    expect(copy.headers['mississippi_error']).toMatch(/^e+…$/);
  }
});

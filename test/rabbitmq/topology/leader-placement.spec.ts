import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import type { Channel, Replies } from 'amqplib';
import { sharedUrl } from '../../support/broker.js';
import { idleConsumer } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { deleteQueues, onRawBroker } from '../../support/raw-broker.js';

const TOTAL = 2;
const LOCATOR = { 'x-queue-leader-locator': 'balanced' };
/** The shard count that the queue of that name remembers. */
const COUNT = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': `v1;${TOTAL};phash2` };
const SINGLE = { 'x-single-active-consumer': true };

let prefix: string;
let connection: TransportConnection | undefined;

beforeEach(() => {
  prefix = `placement-${randomBytes(4).toString('hex')}-`;
});

afterEach(async () => {
  await connection?.close();
  await deleteQueues(sharedUrl(), prefix, TOTAL);
});

/** Declares a queue with exactly these arguments, beside those of every quorum queue. The broker compares them. */
function declare(channel: Channel, name: string, more: Record<string, unknown> = {}): PromiseLike<Replies.AssertQueue> {
  const own = { 'x-queue-type': 'quorum', 'x-delivery-limit': 2_147_483_647 };
  return channel.assertQueue(`${prefix}${name}`, { arguments: { ...own, ...more } });
}

/** As an earlier release does. */
function declareAsBefore(...names: string[]): Promise<void> {
  return onRawBroker(sharedUrl(), async (channel) => {
    for (const name of names) {
      await declare(channel, name, name === 'meta' ? COUNT : /^\d$/.test(name) ? SINGLE : {});
    }
  });
}

async function consume(): Promise<void> {
  const transport = rabbitmq({ urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL, type: 'quorum' } });
  const context = { instance: 'i', logger: new LogLines(), clock: systemClock, keyText: inspectKey };
  connection = await transport.connect(context);
  await connection.consume(idleConsumer);
  expect(connection.status().shards).toBe(TOTAL);
}

test('leaders of new quorum queues are spread over the cluster', async () => {
  await consume();
  await onRawBroker(sharedUrl(), async (channel) => {
    await declare(channel, 'meta', { ...COUNT, ...LOCATOR });
    await declare(channel, '0', { ...SINGLE, ...LOCATOR });
    await declare(channel, '0.lock', { ...SINGLE, ...LOCATOR });
    for (const name of ['dead_letters', 'members', '0.parked', '0.signals']) await declare(channel, name, LOCATOR);
  });
});

test.each([
  ['all', ['dead_letters', 'meta', '0', '1', '0.signals', '1.signals', '0.parked']],
  ['what tells of it deleted', ['0', '1']],
])('the queues of an earlier release are used as they are, %s', async (_which, names) => {
  await declareAsBefore(...names);
  await consume();
  // Others that are declared follow them, so that such a release can use them too.
  await declareAsBefore('dead_letters', 'meta', 'members', '0', '0.signals', '0.parked', '1.parked');
});

import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import { encodeTerm } from '@mississippi/terms';
import type { ChannelModel } from 'amqplib';
import { SideReader } from '../../../libs/rabbitmq/src/sessions/side-reader.js';
import { KEY_HEADER } from '../../../libs/rabbitmq/src/wire/header-names.js';
import type { RabbitDelivery } from '../../../libs/rabbitmq/src/wire/rabbit-delivery.js';
import { sharedUrl } from '../../support/broker.js';
import { LogLines } from '../../support/log-lines.js';
import { until } from '../../support/member.js';
import { OpeningConsumer } from '../../support/opening-consumer.js';
import { connectRaw, deleteQueues, onRawBroker } from '../../support/raw-broker.js';

/** More than a quorum queue gives to a consumer that asks for no limit. */
const MANY = 2_500;

let prefix: string;

beforeEach(() => {
  prefix = `long-${randomBytes(4).toString('hex')}-`;
});

afterEach(() => deleteQueues(sharedUrl(), prefix, 1));

/** Puts messages into a queue, each with its number; their keys are given in turn. */
async function fill(queue: string, count: number, keys: readonly string[]): Promise<void> {
  await onRawBroker(sharedUrl(), async (channel) => {
    for (let n = 0; n < count; n++) {
      const headers = { [KEY_HEADER]: Buffer.from(encodeTerm(keys[n % keys.length]!)), n };
      channel.sendToQueue(queue, Buffer.alloc(1), { headers, persistent: true });
    }
    await channel.waitForConfirms();
  });
}

test.each(['classic', 'quorum'] as const)('a shard is opened with all that is parked, on %s queues', async (type) => {
  const consumer = new OpeningConsumer();
  const queues = { prefix, totalCount: 1, type };
  const transport = rabbitmq({ urls: [sharedUrl()], claimInterval: 50, queues });
  const logger = new LogLines();
  const connection = await transport.connect({ instance: 'long', logger, clock: systemClock, keyText: inspectKey });
  const consuming = connection.consume(consumer);
  try {
    const first = await consumer.opening(0, 1);
    first.accept();
    await fill(`${prefix}0.parked`, MANY, ['k']);
    await first.session.close();
    const second = await consumer.opening(0, 2);
    second.accept();
    expect(second.session.parked.map(({ notes }) => notes.n)).toEqual(Array.from({ length: MANY }, (_, n) => n));
  } finally {
    await connection.close();
    for (const opening of consumer.openings) opening.accept();
    await consuming;
  }
});

describe('of a quorum queue with more than RabbitMQ gives to one consumer', () => {
  let model: ChannelModel;
  let queue: string;
  let crowded: number;

  beforeEach(async () => {
    model = await connectRaw(sharedUrl());
    queue = `${prefix}0.parked`;
    crowded = 0;
    const quorum = { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 };
    await onRawBroker(sharedUrl(), (channel) => channel.assertQueue(queue, { durable: true, arguments: quorum }));
    await fill(
      queue,
      25,
      Array.from({ length: 10 }, (_, n) => `k${n}`),
    );
  });

  afterEach(() => model.close());

  const reader = (): SideReader =>
    new SideReader({
      model,
      queue,
      consumerTag: 'reads',
      shard: 0,
      deliveryTimeout: 60_000,
      clock: systemClock,
      credit: 10,
      failed: (cause) => {
        throw cause;
      },
      crowded: () => crowded++,
    });

  test('the index is whole and in order', async () => {
    const side = reader();
    expect((await side.index(25)).map(({ notes }) => notes.n)).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect((await reader().index(25)).map(({ notes }) => notes.n)).toHaveLength(25);
    side.end();
  });

  test('a key that lies within it is read to its end, and one that lies behind is told, and comes when there is room', async () => {
    const side = reader();
    // The first ten are one of each key; the second of k5 lies behind them.
    const front = side.read(encodeTerm('k5'));
    side.settle((await front.next()) as RabbitDelivery);
    side.flush();
    const second = front.next();
    await until(
      () => 'it is told',
      () => crowded > 0,
    );
    for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
      const other = side.read(encodeTerm(key));
      side.settle((await other.next()) as RabbitDelivery);
      side.flush();
      other.close();
    }
    expect((await second).headers.n).toBe(15);
    side.end();
  });
});

import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { LogLines } from '../../../test/support/log-lines.js';
import { OpeningConsumer } from '../../../test/support/opening-consumer.js';
import { rabbitmq } from '../src/index.js';
import { WillingBroker } from './support/willing-broker.js';

/** A quorum queue of RabbitMQ 4.3 ends the consumer that sits on a message for too long, and leaves its channel open. */
let broker: WillingBroker;
let connection: TransportConnection;
let consumer: OpeningConsumer;
let logs: LogLines;

beforeEach(async () => {
  broker = await WillingBroker.start();
  consumer = new OpeningConsumer();
  logs = new LogLines();
  const queues = { prefix: 'p_', totalCount: 1, type: 'quorum' } as const;
  const transport = rabbitmq({ urls: [broker.url], claimInterval: 20, queues });
  connection = await transport.connect({ instance: 'i', logger: logs, clock: systemClock, keyText: inspectKey });
});

afterEach(async () => {
  await connection.close();
  await broker.stop();
});

async function start(): Promise<void> {
  const consuming = connection.consume(consumer);
  (await consumer.opening(0)).accept();
  await consuming;
}

test('a shard whose consumer the broker ends is lost, its channel closed before it is consumed again, and both reasons are told', async () => {
  await start();
  const first = await broker.consumer('p_0');
  broker.log.length = 0;
  broker.cancel(first);
  await (await consumer.opening(0)).wasLost();
  (await consumer.opening(0, 2)).accept();
  await broker.consumer('p_0', 2);
  const told = broker.log.filter((line) => line === `close ${first.channel}` || line === 'consume p_0');
  expect(told).toEqual([`close ${first.channel}`, 'consume p_0']);
  await logs.untilLogged(/^Shard 0 was lost, and is claimed again: .*'p_0': .* deleted, or .* consumer_timeout$/);
});

test('signals whose consumer the broker ends are read again on the same channel, and the shard stays', async () => {
  await start();
  const first = await broker.consumer('p_0.signals');
  broker.cancel(first);
  const second = await broker.consumer('p_0.signals', 2);
  expect(second.channel).toBe(first.channel);
  expect(consumer.openings).toHaveLength(1);
  expect(logs.lines).toEqual([]);
});

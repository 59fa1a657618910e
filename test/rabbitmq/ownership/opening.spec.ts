import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import { encodeTerm } from '@mississippi/terms';
import { onBroker } from '../../support/broker-view.js';
import { sharedUrl } from '../../support/broker.js';
import { OpeningConsumer } from '../../support/opening-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { deleteQueues } from '../../support/raw-broker.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const TOTAL = 2;

describe.each(['classic', 'quorum'] as const)('on %s queues', (type) => {
  let proxy: TcpProxy;
  let prefix: string;
  let connection: TransportConnection;
  let consumer: OpeningConsumer;
  let logs: LogLines;
  let consuming: Promise<void>;

  beforeEach(async () => {
    proxy = await TcpProxy.start(sharedUrl());
    prefix = `t${randomBytes(4).toString('hex')}_`;
    logs = new LogLines();
    consumer = new OpeningConsumer();
    const transport = rabbitmq({
      urls: [proxy.url],
      reconnect: { initial: 10, max: 100 },
      claimInterval: 50,
      queues: { prefix, totalCount: TOTAL, type },
    });
    connection = await transport.connect({
      instance: 'opening',
      logger: logs,
      clock: systemClock,
      keyText: inspectKey,
    });
    consuming = connection.consume(consumer);
  });

  afterEach(async () => {
    await connection.close();
    for (const opening of consumer.openings) opening.accept();
    await consuming;
    await proxy.close();
    await deleteQueues(sharedUrl(), prefix, TOTAL);
  });

  const publish = async (shard: number, ...ids: string[]): Promise<void> => {
    const message = { shard, key: encodeTerm('k'), body: Buffer.from('1'), headers: {}, timestamp: 0 };
    for (const messageId of ids) await connection.publisher.publish({ ...message, messageId }, 10_000);
  };
  const consumersOf = (shard: number): Promise<number> =>
    onBroker(sharedUrl(), async (channel) => (await channel.checkQueue(`${prefix}${shard}`)).consumerCount);

  test('a shard that takes its time to open gets its messages then, and holds up no other', async () => {
    const [slow, quick] = [await consumer.opening(0), await consumer.opening(1)];
    await publish(0, 'a', 'b');
    await publish(1, 'c');
    quick.accept();
    expect(await quick.received(1)).toEqual(['c']);
    await publish(0, 'd');
    expect(slow.deliveries).toEqual([]);
    slow.accept();
    expect(await slow.received(3)).toEqual(['a', 'b', 'd']);
    await consuming;
  });

  test('a shard that cannot be opened is given back and claimed again, not at once, and the log says why', async () => {
    (await consumer.opening(1)).accept();
    const refused = await consumer.opening(0);
    await publish(0, 'a', 'b');
    const refusedAt = performance.now();
    refused.refuse(new Error('the store is away'));
    await logs.untilLogged(/^Shard 0 cannot be consumed yet: the store is away$/);
    expect(await consumersOf(0)).toBe(0);
    const again = await consumer.opening(0, 2);
    expect(again.calledAt - refusedAt).toBeGreaterThanOrEqual(1_000);
    again.accept();
    expect(await again.received(2)).toEqual(['a', 'b']);
    expect(refused.deliveries).toEqual([]);
    expect(refused.lostBy).toEqual([]);
  });

  test.each([
    { what: 'its connection is cut', lose: () => Promise.resolve(proxy.cut()), why: /./ },
    {
      what: 'its queue is deleted',
      lose: () => onBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}0`)),
      why: /was deleted/,
    },
  ])('a shard that is lost while it opens, because $what, is told as lost once it is open', async ({ lose, why }) => {
    const first = await consumer.opening(0);
    await lose();
    const second = await consumer.opening(0, 2);
    second.accept();
    expect(first.lostBy).toEqual([]);
    first.accept();
    await first.wasLost();
    expect(first.lostBy).toEqual([expect.objectContaining({ message: expect.stringMatching(why) as string })]);
    await publish(0, 'a');
    expect(await second.received(1)).toEqual(['a']);
    expect(first.deliveries).toEqual([]);
    expect(second.lostBy).toEqual([]);
  });

  test('an epoch that is given up settles nothing and is not lost; its messages come again, in order', async () => {
    const first = await consumer.opening(0);
    first.accept();
    await publish(0, 'a', 'b', 'c');
    expect(await first.received(3)).toEqual(['a', 'b', 'c']);
    first.session.settle(first.deliveries[0]!);
    first.session.giveUp(new Error('the commit failed'));
    for (const delivery of first.deliveries) first.session.settle(delivery);
    await expect(first.session.deadLetter(first.deliveries[1]!, {})).rejects.toThrow(/no longer owned/);
    const second = await consumer.opening(0, 2);
    second.accept();
    expect(await second.received(3)).toEqual(['a', 'b', 'c']);
    expect(second.deliveries.every(({ redelivered }) => redelivered)).toBe(true);
    expect(first.lostBy).toEqual([]);
    await first.session.close();
    await logs.untilLogged(/^Shard 0 was given up: the commit failed$/);
  });

  test('an epoch that is given up before it is open is not lost either', async () => {
    const first = await consumer.opening(0);
    first.session.giveUp(new Error('never mind'));
    const second = await consumer.opening(0, 2);
    first.accept();
    second.accept();
    await publish(0, 'a');
    expect(await second.received(1)).toEqual(['a']);
    expect(first.lostBy).toEqual([]);
    expect(first.deliveries).toEqual([]);
  });
});

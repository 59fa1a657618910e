import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import { sharedUrl } from '../../support/broker.js';
import { idleConsumer, idleReceiver } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { deleteQueues, onRawBroker } from '../../support/raw-broker.js';

const TOTAL = 4;

let connection: TransportConnection;
let prefix: string;

beforeEach(() => {
  prefix = `leaving-${randomBytes(4).toString('hex')}-`;
});

afterEach(async () => {
  await connection.close();
  await deleteQueues(sharedUrl(), prefix, TOTAL);
});

describe.each(['classic', 'quorum'] as const)('a process on %s queues', (type) => {
  test('that leaves while it claims gives back what it has just claimed, and logs nothing', async () => {
    const logger = new LogLines();
    const transport = rabbitmq({ urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL, type } });
    connection = await transport.connect({ instance: 'leaving', logger, clock: systemClock, keyText: inspectKey });
    const given: Promise<void>[] = [];
    await connection.consume({
      open(session) {
        // Sooner than the broker can answer what the claim asks next.
        setImmediate(() => {
          connection.stopClaiming();
          given.push(session.close());
        });
        return idleReceiver;
      },
    });
    await Promise.all(given);
    expect(given.length).toBeGreaterThan(0);
    expect(connection.status().shards).toBe(0);
    expect(logger.lines).toEqual([]);
  });

  test('that cannot claim a shard says so, and claims the others', async () => {
    const logger = new LogLines();
    const transport = rabbitmq({ urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL, type } });
    connection = await transport.connect({ instance: 'leaving', logger, clock: systemClock, keyText: inspectKey });
    await onRawBroker(sharedUrl(), (channel) => channel.assertQueue(`${prefix}2.parked`, { maxLength: 5 }));
    await connection.consume(idleConsumer);
    expect(
      logger.matching(/^Shard 2 cannot be consumed yet: A queue of '.*' exists with other arguments/),
    ).toHaveLength(1);
    expect(connection.status().shards).toBe(3);
  });

  test('that finds the queue of signals of a shard deleted declares it again', async () => {
    const logger = new LogLines();
    const transport = rabbitmq({ urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL, type } });
    connection = await transport.connect({ instance: 'leaving', logger, clock: systemClock, keyText: inspectKey });
    await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}2.signals`));
    await connection.consume(idleConsumer);
    expect(connection.status().shards).toBe(4);
    expect(await onRawBroker(sharedUrl(), (channel) => channel.checkQueue(`${prefix}2.signals`))).toMatchObject({
      consumerCount: 1,
    });
    expect(logger.lines).toEqual([]);
  });
});

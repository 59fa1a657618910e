import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import {
  inspectKey,
  type Clock,
  type ShardReceiver,
  type ShardSession,
  type TransportConnection,
} from '@mississippi/core/transport';
import { rabbitmq, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { sharedUrl } from '../../support/broker.js';
import { idleReceiver } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { until } from '../../support/member.js';
import { deleteQueues, onRawBroker, replaceQueue } from '../../support/raw-broker.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const TOTAL = 4;

let prefix: string;
let logger: LogLines;
let ahead: number;
const open = new Set<TransportConnection>();

/** The system's, which a test may put forward. */
const clock: Clock = {
  now: () => systemClock.now() + ahead,
  time: () => systemClock.time() + ahead,
  after: (delay, callback, background) => systemClock.after(delay, callback, background),
  soon: (callback) => systemClock.soon(callback),
};

beforeEach(() => {
  prefix = `troubles-${randomBytes(4).toString('hex')}-`;
  logger = new LogLines();
  ahead = 0;
});

afterEach(async () => {
  for (const connection of open) await connection.close();
  open.clear();
  await deleteQueues(sharedUrl(), prefix, TOTAL);
});

async function connect(options: RabbitMqOptions = {}): Promise<TransportConnection> {
  const transport = rabbitmq({
    urls: [sharedUrl()],
    claimInterval: 50,
    ...options,
    queues: { prefix, totalCount: TOTAL },
  });
  const connection = await transport.connect({ instance: 'default', logger, clock, keyText: inspectKey });
  open.add(connection);
  return connection;
}

const consume = (connection: TransportConnection, take: () => ShardReceiver = () => idleReceiver): Promise<void> =>
  connection.consume({ open: take });

test('one bad queue keeps no other shard waiting, and is told with its shard', async () => {
  const a = await connect();
  await replaceQueue(sharedUrl(), `${prefix}2`, { maxLength: 5 });
  await consume(a);
  expect(a.status().shards).toBe(3);
  expect(logger.matching(/^Shard 2 cannot be consumed yet: .*x-max-length/)).toHaveLength(1);
  // Its membership goes on: another gets its share.
  const b = await connect({ maxShards: 4 }).catch((error: unknown) => error);
  expect(String(b)).toMatch(/x-max-length/); // At the start it is refused, since it may be a wrong prefix.
  await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}2`));
  await until(
    () => `4 shards, now ${a.status().shards}`,
    () => a.status().shards === 4,
  );
});

test('a shard whose queue of signals is bad is not opened, so that nothing of it is handled again and again', async () => {
  const opened: number[] = [];
  const a = await connect();
  const queue = `${prefix}2.signals`;
  await replaceQueue(sharedUrl(), queue, { maxLength: 5 });
  const open = (session: ShardSession): ShardReceiver => {
    opened.push(session.shard);
    return idleReceiver;
  };
  await a.consume({ open });
  await logger.untilLogged(/^Shard 2 cannot be consumed yet: .*x-max-length/);
  // It is tried again, after a rest.
  logger.lines.length = 0;
  ahead += 40_000;
  await logger.untilLogged(/^Shard 2 cannot be consumed yet: .*x-max-length/);
  expect(new Set(opened)).toEqual(new Set([0, 1, 3]));
  await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(queue));
  ahead += 40_000;
  await until(
    () => `shard 2 is opened, now ${opened.join()}`,
    () => opened.includes(2),
  );
});

test('shards that nobody may take are told', async () => {
  await consume(await connect({ maxShards: 1 }));
  expect(logger.lines).toEqual([]);
  ahead += 1_000_000;
  await logger.untilLogged(
    /^Nobody consumes the shards \d, \d, \d: each process has as many as it may \(maxShards is 1 here\), .* raise maxShards/,
  );
});

test('a shard that a stranger consumes is told, and those of another process are not', async () => {
  const queue = `${prefix}0`;
  await connect(); // Declares the queues.
  await onRawBroker(sharedUrl(), async (channel) => {
    await channel.consume(queue, () => undefined);
    const [a, b] = [await connect(), await connect()];
    await Promise.all([consume(a), consume(b)]);
    await until(
      () => `3 shards, now ${a.status().shards} and ${b.status().shards}`,
      () => a.status().shards + b.status().shards === 3,
    );
    await until(
      () => `told: ${logger.lines.join(' / ')}`,
      () => {
        ahead += 1_000;
        return logger.matching(/^The shards 0 are consumed by somebody who answers no signals/).length > 0;
      },
    );
    expect(logger.lines.filter((line) => !line.startsWith('The shards 0 are'))).toEqual([]);
  });
});

test('a process that can open nothing takes few shards away from one that can', async () => {
  const able = await connect();
  await consume(able);
  const unable = await connect();
  let tried = 0;
  const broken = (): ShardReceiver => {
    tried++;
    throw new Error('the store is away');
  };
  await consume(unable, broken);
  await until(
    () => `2 shards were tried, now ${tried}`,
    () => tried >= 2,
  );
  const first = tried;
  // One more is tried on trial, although it has long rested from each.
  await until(
    () => `one more was tried, now ${tried}`,
    () => tried > first,
  );
  await until(
    () => `all are back, now ${able.status().shards}`,
    () => able.status().shards === TOTAL,
  );
  expect(tried).toBe(first + 1);
});

test('a broker that does not answer keeps nobody who asks for the processes waiting', async () => {
  const proxy = await TcpProxy.start(sharedUrl());
  const connection = await connect({ urls: [proxy.url], heartbeat: 600 });
  await consume(connection);
  proxy.freeze();
  await expect(connection.processes!()).rejects.toMatchObject({
    code: 'nobody_answers',
    message: expect.stringMatching(/no answer within 5000 ms\. .*restart the process that hangs/) as string,
  });
  await proxy.close();
});

test.each(['coordinator', 'members'])(
  'the shards of a process that died are served while the queue %s cannot be had, as where its node is lost',
  async (name) => {
    const proxy = await TcpProxy.start(sharedUrl());
    try {
      const a = await connect();
      const b = await connect({ urls: [proxy.url], reconnect: { initial: 60_000, max: 60_000 } });
      await Promise.all([consume(a), consume(b)]);
      await until(
        () => `2 shards each, now ${a.status().shards} and ${b.status().shards}`,
        () => a.status().shards === 2 && b.status().shards === 2,
      );
      await replaceQueue(sharedUrl(), `${prefix}${name}`, { maxLength: 5 });
      await logger.untilLogged(/x-max-length/);
      proxy.cut();
      await until(
        () => `4 shards, now ${a.status().shards}`,
        () => a.status().shards === 4,
      );
    } finally {
      await proxy.close();
    }
  },
);

import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { countLeft } from '../../support/broker-view.js';
import { startProducer } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { idleConsumer } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { until } from '../../support/member.js';
import { OpeningConsumer } from '../../support/opening-consumer.js';
import { MEMORY_WATERMARK, RabbitMqNode } from '../../support/rabbitmq-node.js';
import { onRawBroker } from '../../support/raw-broker.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysNamed, Workload } from '../../support/workload.js';

/** The broker in whose eyes a consumer may be out of reach, or which takes no messages. */
let node: RabbitMqNode;
let prefix: string;
let lock: string;
let logs: LogLines;
const open = new Set<TransportConnection>();
const strangers = new Set<ChannelModel>();

beforeAll(async () => {
  node = await RabbitMqNode.start();
}, 60_000);

afterAll(() => node.stop());

beforeEach(() => {
  prefix = `lock-${randomBytes(4).toString('hex')}-`;
  lock = `${prefix}0.lock`;
  logs = new LogLines();
});

afterEach(async () => {
  for (const connection of open) await connection.close();
  for (const model of strangers) await model.close();
  open.clear();
  strangers.clear();
});

async function connected(totalCount = 1): Promise<TransportConnection> {
  const transport = rabbitmq({
    urls: [node.url],
    heartbeat: 2,
    claimInterval: 50,
    queues: { prefix, totalCount, type: 'quorum' },
  });
  const connection = await transport.connect({ instance: 'i', logger: logs, clock: systemClock, keyText: inspectKey });
  open.add(connection);
  return connection;
}

async function leave(connection: TransportConnection): Promise<void> {
  await connection.close();
  open.delete(connection);
}

/** Another consumer of the lock, which gets the token when the owner seems to be out of reach. */
async function waiting(): Promise<{ channel: Channel; got: Promise<void> }> {
  const model = await connect(node.url);
  strangers.add(model);
  const channel = await model.createChannel();
  let came = (): void => undefined;
  const got = new Promise<void>((resolve) => (came = resolve));
  await channel.consume(lock, came);
  return { channel, got };
}

const inLock = (): Promise<number> =>
  onRawBroker(node.url, async (channel) => (await channel.checkQueue(lock)).messageCount);

/** Tells the lock's queue what it is told when its owner's node is out of reach, and back: others then go before the owner. */
async function loseSight(): Promise<void> {
  await node.ask(
    'eval',
    `${findLock()} Tell = fun(What) -> {ok, _, _} = ra:process_command(amqqueue:get_pid(Q), What) end,
     Tell({down, element(1, hd(rabbit_amqqueue:consumers(Q))), noconnection}), Tell({nodeup, node()}), ok.`,
  );
}

/** The number of the last command that the lock's queue has carried out. */
async function lastCommand(): Promise<number> {
  const text = await node.ask(
    'eval',
    `${findLock()} {ok, {{Index, _}, _}, _} = ra:local_query(amqqueue:get_pid(Q), fun(_) -> ok end), Index.`,
  );
  return Number(text);
}

const findLock = (): string => `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${lock}">>)),`;

/** A process that has opened shard 0, and what it opens. */
async function owner(): Promise<{ connection: TransportConnection; consumer: OpeningConsumer }> {
  const connection = await connected();
  const consumer = new OpeningConsumer();
  const consuming = connection.consume(consumer);
  (await consumer.opening(0)).accept();
  await consuming;
  return { connection, consumer };
}

describe('an owner whose node was out of reach', () => {
  test('loses its shard when somebody else has got the lock', async () => {
    const { consumer } = await owner();
    const { got } = await waiting();
    await loseSight();
    await got;
    await (await consumer.opening(0)).wasLost();
    await logs.untilLogged(/^Shard 0 was lost, and is claimed again: no token of its lock came within 10 s/);
    expect(consumer.openings).toHaveLength(1);
  });

  test('loses its shard when it gets the lock again, since somebody else has had it', async () => {
    const { consumer } = await owner();
    const { channel, got } = await waiting();
    await loseSight();
    await got;
    await channel.close();
    await (await consumer.opening(0)).wasLost();
    await logs.untilLogged(/^Shard 0 was lost, .*: RabbitMQ gave its lock to another process in between/);
    (await consumer.opening(0, 2)).accept();
  });
});

test('the shards of a process that is killed are taken by another, in order and with nothing lost', async () => {
  const total = 8;
  const history = new History();
  const rabbit = {
    urls: [node.url],
    claimInterval: 50,
    queues: { prefix, totalCount: total, type: 'quorum' as const },
  };
  const publisher = await startProducer(rabbit);
  const workers: WorkerProcess[] = [];
  const workload = new Workload(publisher.producer, history, {
    keys: keysNamed('k', 100),
    random: new Seeded(5),
    backlog: 200,
  });
  try {
    for (const name of ['a', 'b']) workers.push(await WorkerProcess.start({ name, history, rabbit }));
    const publishing = workload.publish();
    const [a, b] = workers as [WorkerProcess, WorkerProcess];
    await history.until('both have handled messages', () => ['a', 'b'].every((name) => history.handledBy(name) > 50));
    await a.kill();
    const handled = history.handled;
    await history.until('the other one has all', () => shardsOf('b', history).size === total);
    await history.untilHandled(handled + 500);
    workload.stop();
    await publishing;
    await history.untilNothingOpen();
    await b.terminate();
  } finally {
    workload.stop();
    await publisher.close();
    for (const worker of workers) if (worker.alive) await worker.kill();
  }
  expect(history.check().violations).toEqual([]);
  expect(await countLeft(node.url, prefix, total)).toBe(0);
});

/** The shards that a process owns, as it has written. */
function shardsOf(name: string, { events }: History): Set<number> {
  const owned = new Set<number>();
  for (const event of events) {
    if (event.process !== name) continue;
    if (event.type === 'owned') owned.add(event.shard);
    if (event.type === 'lost' || event.type === 'released') owned.delete(event.shard);
  }
  return owned;
}

test('a lock is proven by new tokens again and again, and one is left', async () => {
  const { connection, consumer } = await owner();
  /** Renewals, each of which publishes a token and acks the one before. */
  const renewed = async (times: number): Promise<void> => {
    for (const since = await lastCommand(); (await lastCommand()) < since + 2 * times;);
  };
  await renewed(2);
  await onRawBroker(node.url, async (channel) => {
    for (let n = 0; n < 20; n++) channel.sendToQueue(lock, Buffer.from(`stranger ${n}`));
    await channel.waitForConfirms();
  });
  await renewed(2);
  expect((await consumer.opening(0)).lostBy).toEqual([]);
  await leave(connection);
  expect(await inLock()).toBe(1);
});

test('a lock that was purged is had all the same', async () => {
  const first = await connected();
  await first.consume(idleConsumer);
  expect(first.status().shards).toBe(1);
  await leave(first);
  await onRawBroker(node.url, (channel) => channel.purgeQueue(lock));
  const second = await connected();
  await second.consume(idleConsumer);
  expect(second.status().shards).toBe(1);
});

test('a lock that is deleted ends the epoch, and is declared again', async () => {
  const { consumer } = await owner();
  await onRawBroker(node.url, (channel) => channel.deleteQueue(lock));
  await (await consumer.opening(0)).wasLost();
  (await consumer.opening(0, 2)).accept();
});

test('an owner of an earlier release, whose lock is an exclusive queue, is let be', async () => {
  const model = await connect(node.url);
  const old = await model.createChannel();
  await old.assertQueue(lock, { exclusive: true, durable: false });
  const connection = await connected(2);
  await connection.consume(idleConsumer);
  expect(connection.status().shards).toBe(1);
  await model.close();
  await until(
    () => `2 shards, now ${connection.status().shards}`,
    () => connection.status().shards === 2,
  );
  const other = await connect(node.url);
  strangers.add(other);
  const late = await other.createChannel();
  late.on('error', () => undefined);
  await expect(late.assertQueue(lock, { exclusive: true, durable: false })).rejects.toMatchObject({ code: 405 });
});

describe('while RabbitMQ takes no messages', () => {
  afterEach(async () => {
    await node.ask('set_vm_memory_high_watermark', String(MEMORY_WATERMARK));
  });

  test('a shard is taken over, and a new one when it takes them again', async () => {
    const first = await connected();
    await first.consume(idleConsumer);
    await node.ask('set_vm_memory_high_watermark', '0.00001');
    await leave(first);
    const second = await connected();
    await second.consume(idleConsumer);
    // It can tell nobody that it is there, and looks after itself after some seconds.
    await until(
      () => `1 shard, now ${second.status().shards}`,
      () => second.status().shards === 1,
    );
    await leave(second);
    await onRawBroker(node.url, (channel) => channel.purgeQueue(lock));
    const third = await connected();
    await third.consume(idleConsumer);
    await logs.untilLogged(/^Shard 0 cannot be consumed yet: its lock, .* takes no message/);
    expect(third.status().shards).toBe(0);
    await node.ask('set_vm_memory_high_watermark', String(MEMORY_WATERMARK));
    await until(
      () => `1 shard, now ${third.status().shards}`,
      () => third.status().shards === 1,
    );
  });
});

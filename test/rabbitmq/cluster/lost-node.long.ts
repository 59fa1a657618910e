import { randomBytes } from 'node:crypto';
import { EVERYBODY, monotonic } from '@mississippi/history';
import { connect } from 'amqplib';
import { countLeft, onBroker } from '../../support/broker-view.js';
import { startProducer, type FaultApp } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { RabbitMqCluster } from '../../support/rabbitmq-cluster.js';
import type { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysOnShard, Workload } from '../../support/workload.js';

const TOTAL = 12;
const PREFETCH = 20;
/** Every shard has some. */
const KEYS = Array.from({ length: TOTAL }, (_, shard) => keysOnShard(shard, TOTAL, 'k', 5)).flat();
/** Milliseconds; an election takes about one second. */
const PATIENCE = 60_000;

let cluster: RabbitMqCluster;
let workload: Workload | undefined;
let publisher: Pick<FaultApp, 'producer' | 'close'> | undefined;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  cluster = await RabbitMqCluster.start(3);
}, 120_000);
afterAll(() => cluster.stop());

afterEach(async () => {
  workload?.stop();
  await publisher?.close();
  for (const worker of workers) if (worker.alive) await worker.kill();
  workers.length = 0;
});

/** Processes on a prefix of their own, each connected to a node of its own, and to the others when that is lost. */
async function startAll(
  names: readonly string[],
  history: History,
): Promise<{ prefix: string; publishing: Promise<void> }> {
  const prefix = `cluster${randomBytes(4).toString('hex')}_`;
  const rabbit = (first: number) => ({
    urls: cluster.urls(first),
    claimInterval: 100,
    prefetch: PREFETCH,
    queues: { prefix, totalCount: TOTAL, type: 'quorum' as const },
  });
  const start = async (name: string, first: number): Promise<void> => {
    const pace = { usual: 3, slow: 100, every: 20 };
    workers.push(await WorkerProcess.start({ name, history, rabbit: rabbit(first), pace }));
  };
  const [first, ...others] = names as [string, ...string[]];
  await start(first, 0); // It declares the queues.
  publisher = await startProducer(rabbit(0));
  await Promise.all(others.map((name, index) => start(name, index + 1)));
  workload = new Workload(publisher.producer, history, { keys: KEYS, random: new Seeded(3), backlog: 200 });
  const publishing = workload.publish();
  await untilServed(history, 'by all nodes');
  return { prefix, publishing };
}

/** Ends a node as a power cut would, and waits until every shard is served without it. */
async function lose(node: RabbitMqNode, history: History): Promise<void> {
  // Told before the fact, so that nobody can have got its shards earlier.
  history.test.record({ type: 'fault', fault: 'node', target: EVERYBODY });
  await node.kill();
  history.publisher.record({ type: 'interrupted' });
  await untilServed(history, `without ${node.name}`);
}

/** Nothing is left, and nothing was lost or out of order. */
async function finish(history: History, prefix: string, publishing: Promise<void>, alive: RabbitMqNode): Promise<void> {
  workload!.stop();
  await publishing;
  await history.untilNothingOpen(PATIENCE);
  for (const worker of workers) await worker.terminate();
  expect(history.check({ prefetch: PREFETCH }).violations).toEqual([]);
  expect(await countLeft(alive.url, prefix, TOTAL)).toBe(0);
}

test('a cluster that loses the leader of its queues, and then another, loses no message and no order', async () => {
  const history = new History();
  const { prefix, publishing } = await startAll(['a', 'b', 'c'], history);
  const led = (): Promise<number[]> => Promise.all(cluster.nodes.map((node) => shardsLedBy(node, prefix)));
  /** The node that leads most shards, now. */
  const leader = async (): Promise<RabbitMqNode> => {
    const counts = await led();
    return cluster.nodes[counts.indexOf(Math.max(...counts))]!;
  };
  // They do not all lie on the node on which they were declared.
  expect(Math.max(...(await led()))).toBeLessThan(TOTAL);

  for (let time = 0; time < 2; time++) {
    const node = await leader();
    await lose(node, history);
    await node.boot();
    await untilServed(history, `with ${node.name} again`);
  }

  await finish(history, prefix, publishing, cluster.nodes[0]!);
}, 240_000);

test('a broker that keeps the exclusive queues of a lost node keeps no shard', async () => {
  await Promise.all(cluster.nodes.map((node) => node.ask('eval', KEEP_EXCLUSIVE)));
  const history = new History();
  const [lost, other] = cluster.nodes as [RabbitMqNode, RabbitMqNode];
  const exclusive = `exclusive${randomBytes(4).toString('hex')}`;
  const model = await connect(lost.url);
  model.on('error', () => undefined);
  await (await model.createChannel()).assertQueue(exclusive, { exclusive: true, durable: false });
  const { prefix, publishing } = await startAll(['a', 'b'], history);

  await lose(lost, history);
  // Nor does it keep the process that was connected to it from taking part.
  const back = (): boolean => {
    const ofA = history.events.filter(({ process }) => process === 'a');
    const left = ofA.findIndex(({ type }) => type === 'lost');
    return left >= 0 && ofA.slice(left).some(({ type }) => type === 'owned');
  };
  await history.until('the process that lost its node has shards again', back, PATIENCE);

  const declared = onBroker(other.url, (channel) => {
    channel.on('error', () => undefined);
    return channel.assertQueue(exclusive, { exclusive: true, durable: false });
  });
  await expect(declared).rejects.toMatchObject({ code: 405 });
  await finish(history, prefix, publishing, other);
  await lost.boot();
}, 240_000);

/** As RabbitMQ does from 4.2 on with Khepri: what was exclusive to a connection of a lost node stays until that returns. */
const KEEP_EXCLUSIVE = `
  {ok, {M, [{abstract_code, {_, Forms}}]}} = beam_lib:chunks(code:which(rabbit_amqqueue), [abstract_code]),
  Keep = fun({function, L, on_node_down, 1, _}) ->
               {function, L, on_node_down, 1, [{clause, L, [{var, L, '_'}], [], [{atom, L, ok}]}]};
            (Form) -> Form end,
  {ok, M, Binary} = compile:forms(lists:map(Keep, Forms)),
  {module, M} = code:load_binary(M, "kept", Binary), ok.`;

async function shardsLedBy(node: RabbitMqNode, prefix: string): Promise<number> {
  const table = await node.ask('list_queues', '--silent', 'name', 'leader');
  const isLed = (line: string): boolean => line.startsWith(prefix) && /_\d+\t/.test(line) && line.endsWith(node.name);
  return table.split('\n').filter(isLed).length;
}

/**
 * Waits until of every shard a message was handled that was published since now. Others do not count: before a client has
 * noticed that its node is gone it may start and end what it had been given.
 */
async function untilServed(history: History, how: string): Promise<void> {
  const since = monotonic();
  let seen = history.events.length;
  const fresh = new Set<string>();
  const served = new Set<number>();
  const look = (): boolean => {
    for (; seen < history.events.length; seen++) {
      const event = history.events[seen]!;
      if (event.type === 'published' && event.mono >= since) fresh.add(event.id);
      if (event.type === 'ended' && event.outcome === 'ok' && fresh.has(event.id)) served.add(event.shard);
    }
    return served.size === TOTAL;
  };
  await history.until(`every shard was served ${how}`, look, PATIENCE, () => `(${served.size} of ${TOTAL} were)`);
}

import { randomBytes } from 'node:crypto';
import { EVERYBODY, monotonic } from '@mississippi/history';
import { countLeft } from '../../support/broker-view.js';
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
});

test('a cluster that loses the leader of its queues, and then another, loses no message and no order', async () => {
  const history = new History();
  const prefix = `cluster${randomBytes(4).toString('hex')}_`;
  /** Each connects to a node of its own, and to the others when that is lost. */
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
  /** The node that leads most shards: on a busy machine they may have moved away from where they were declared. */
  const leader = async (): Promise<RabbitMqNode> => {
    const led = await Promise.all(cluster.nodes.map((node) => shardsLedBy(node, prefix)));
    expect(Math.max(...led)).toBeGreaterThan(0);
    return cluster.nodes[led.indexOf(Math.max(...led))]!;
  };
  /** Ends a node that leads shards as a power cut would, and boots it again when every shard is served without it. */
  const lose = async (node: RabbitMqNode): Promise<void> => {
    // Told before the fact, so that nobody can have got its shards earlier.
    history.test.record({ type: 'fault', fault: 'node', target: EVERYBODY });
    await node.kill();
    history.publisher.record({ type: 'interrupted' });
    await untilServed(history, `without ${node.name}`);
    await node.boot();
    await untilServed(history, `with ${node.name} again`);
  };

  const [first] = cluster.nodes as [RabbitMqNode];
  await start('a', 0); // It declares the queues, on the node that leads them at first.
  publisher = await startProducer(rabbit(0)); // It loses its connection with the leader.
  await Promise.all([start('b', 1), start('c', 2)]);
  workload = new Workload(publisher.producer, history, { keys: KEYS, random: new Seeded(3), backlog: 200 });
  const publishing = workload.publish();
  await untilServed(history, 'by all nodes');

  await lose(await leader());
  await lose(await leader());

  workload.stop();
  await publishing;
  await history.untilNothingOpen(PATIENCE);
  for (const worker of workers) await worker.terminate();
  expect(history.check({ prefetch: PREFETCH }).violations).toEqual([]);
  expect(await countLeft(first.url, prefix, TOTAL)).toBe(0);
}, 240_000);

async function shardsLedBy(node: RabbitMqNode, prefix: string): Promise<number> {
  const table = await node.ask('list_queues', '--silent', 'name', 'leader');
  const isLed = (line: string): boolean => line.startsWith(prefix) && /_\d+\t/.test(line) && line.endsWith(node.name);
  return table.split('\n').filter(isLed).length;
}

/** Waits until an attempt of every shard has started since now. */
async function untilServed(history: History, how: string): Promise<void> {
  const since = monotonic();
  let seen = history.events.length;
  const served = new Set<number>();
  const look = (): boolean => {
    for (; seen < history.events.length; seen++) {
      const event = history.events[seen]!;
      if (event.type === 'started' && event.mono >= since) served.add(event.shard);
    }
    return served.size === TOTAL;
  };
  await history.until(`every shard was served ${how}`, look, PATIENCE, () => `(${served.size} of ${TOTAL} were)`);
}

import { randomBytes } from 'node:crypto';
import { startCollectingApp, type CollectingApp } from '../../support/collecting-app.js';
import { erlangPeer } from '../../support/erlang-peer.js';
import { until } from '../../support/member.js';
import type { BrokerNode } from '../../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker } from '../../support/raw-broker.js';

const TOTAL = 4;

let peer: BrokerNode;
let app: CollectingApp;
let url: string;
let prefix: string;

beforeAll(async () => {
  peer = await erlangPeer();
});

beforeEach(() => {
  prefix = `recovery-${randomBytes(4).toString('hex')}-`;
  url = peer.url;
});

afterEach(async () => {
  await app.app.close();
});

afterAll(() => peer.stop());

async function start(): Promise<void> {
  app = await startCollectingApp({
    urls: [url],
    reconnect: { initial: 10, max: 100 },
    claimInterval: 50,
    queues: { prefix, totalCount: TOTAL },
  });
}

/** Consumers of a queue; `undefined` where there is none. */
function consumersOf(name: string): Promise<number | undefined> {
  const checking = onRawBroker(url, (channel) => {
    channel.on('error', () => undefined);
    return channel.checkQueue(`${prefix}${name}`);
  });
  return checking.then(
    ({ consumerCount }) => consumerCount,
    () => undefined,
  );
}

async function untilConsumed(name: string): Promise<void> {
  const end = performance.now() + 15_000;
  while ((await consumersOf(name)) !== 1) {
    if (performance.now() > end) throw new Error(`${name} is not consumed`);
  }
}

/** Publishes for every shard until each has been handled. */
async function served(): Promise<void> {
  for (let index = 0; index < 30; index++) {
    await app.producer.publish(index, { shardingKey: `k${index}` });
  }
  await app.collection.handled(30);
}

test('a broker that comes back empty is given all its queues again, and served', async () => {
  const create = (): void => {
    peer.ctl('add_vhost', prefix);
    peer.ctl('set_permissions', '--vhost', prefix, 'guest', '.*', '.*', '.*');
  };
  create();
  url = `${peer.url}/${prefix}`;
  await start();
  const refusals: unknown[] = [];
  let seen = 0;
  /** Publishes to every shard; nobody waits. */
  const publishToAll = (): void => {
    for (let key = 0; key < 30; key++) {
      app.producer.publish(`m${seen++}`, { shardingKey: `k${key}` }).catch((error: unknown) => refusals.push(error));
    }
  };
  const queues = () =>
    peer.ctl('list_queues', '--silent', '--no-table-headers', '--vhost', prefix, 'name').split('\n').sort();
  const before = queues();
  publishToAll();
  await app.collection.handled(seen);
  peer.ctl('delete_vhost', prefix);
  const told = (what: RegExp): boolean => app.collection.lines.filter((line) => what.test(line)).length >= 2;
  await app.collection.until('both connections were lost', () => told(/was lost/));
  // What waits for the broker is sent when its queues are there again.
  for (let round = 0; round < 10; round++) publishToAll();
  create();
  await app.collection.until('both connections were back', () => told(/is back/));
  await until(
    () => `${TOTAL} shards, now ${app.service.status().shards}`,
    () => app.service.status().shards === TOTAL,
  );
  for (let shard = 0; shard < TOTAL; shard++) await untilConsumed(`${shard}.signals`);
  await app.collection.handled(seen);
  expect(refusals).toEqual([]);
  expect(queues()).toEqual(before);
  peer.ctl('delete_vhost', prefix);
});

describe('a queue that somebody deletes comes back:', () => {
  afterEach(() => deleteQueues(url, prefix, TOTAL));

  test.each(['members', '0.signals', '0'])('%s', async (name) => {
    await start();
    await onRawBroker(url, (channel) => channel.deleteQueue(`${prefix}${name}`));
    await untilConsumed(name);
    expect(await app.service.processes()).toHaveLength(1);
    await served();
  });

  test('the exchange by which all processes are asked', async () => {
    await start();
    await onRawBroker(url, (channel) => channel.deleteExchange(`${prefix}processes`));
    const deadline = performance.now() + 10_000;
    while ((await app.service.processes()).length === 0) {
      if (performance.now() > deadline) throw new Error('no process can be asked any more');
    }
    expect(await consumersOf('members')).toBe(1);
    await served();
  });
});

test('many who ask for the processes at once all get the whole answer, where the broker allows few channels', async () => {
  url = `${peer.url}?channelMax=40`;
  await start();
  const asking = Array.from({ length: 25 }, () => app.service.processes());
  for (const processes of await Promise.all(asking)) expect(processes).toHaveLength(1);
  url = peer.url;
  await app.app.close();
  await deleteQueues(url, prefix, TOTAL);
});

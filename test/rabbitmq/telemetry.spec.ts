import { randomBytes } from 'node:crypto';
import { shardOf } from '@mississippi/core';
import { sharedUrl } from '../support/broker.js';
import { startCollectingApp } from '../support/collecting-app.js';
import { deleteQueues } from '../support/raw-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { TracedProcess, treesOf, type PlainSpan } from '../support/traced-process.js';

const TOTAL = 4;
const AMQPLIB = '@opentelemetry/instrumentation-amqplib';

let prefix: string;
beforeEach(() => void (prefix = `telemetry-${randomBytes(4).toString('hex')}-`));
afterEach(async () => {
  TracedProcess.endAll();
  await deleteQueues(sharedUrl(), prefix, TOTAL);
});

const rabbit = () => ({ urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL }, claimInterval: 50 });

/** A key of one of the shards. */
function keyIn(shards: readonly number[], name: string): string {
  for (let index = 0; ; index++) {
    const key = `${name}-${index}`;
    if (shards.includes(shardOf(key, { totalCount: TOTAL }))) return key;
  }
}

/** Two processes that share the shards evenly. */
async function startTwo(): Promise<readonly [TracedProcess, TracedProcess]> {
  const two = [await TracedProcess.start(rabbit()), await TracedProcess.start(rabbit())] as const;
  for (;;) {
    const [first, second] = await Promise.all(two.map((one) => one.shards()));
    if (first!.length === TOTAL / 2 && second!.length === TOTAL / 2) return two;
  }
}

const ours = ({ scope }: PlainSpan): boolean => scope !== AMQPLIB;

test('a request, its message in another process, and what that asks and publishes back here are one tree', async () => {
  const [here, there] = await startTwo();
  const [own, others] = [await here.shards(), await there.shards()];
  const [key, ask, next] = [keyIn(others, 'order'), keyIn(own, 'customer'), keyIn(own, 'stock')];
  const handled = here.handled(1);
  await fetch(`${here.url}/${key}/${ask}/${next}`, { method: 'POST' });
  await handled;
  const spans = [...(await here.stop()), ...(await there.stop())];
  const template = `${prefix}{shard}`;
  expect(treesOf(spans.filter(ours))).toEqual([
    'POST (SERVER)',
    `  publish ${template} (PRODUCER)`,
    `    process ${template} (CONSUMER)`,
    `      signal ${template} (PRODUCER)`,
    `        answer ${template} (CONSUMER)`,
    `      publish ${template} (PRODUCER)`,
    `        process ${template} (CONSUMER)`,
  ]);
  expect(new Set(spans.map(({ trace }) => trace)).size).toBe(1);
  const url = new URL(sharedUrl());
  expect(spans.find(({ name }) => name === `process ${template}`)!.attributes).toMatchObject({
    'messaging.system.name': 'rabbitmq',
    'messaging.destination.template': template,
    'messaging.destination.name': expect.stringMatching(new RegExp(`^${prefix}\\d$`)),
    'messaging.destination.partition.id': expect.stringMatching(/^\d$/),
    'server.address': url.hostname,
    'server.port': Number(url.port),
  });
}, 120_000);

describe('beside the instrumentation of amqplib', () => {
  /** Handles one message. Returns the spans that it took. */
  async function handleOne(telemetry: boolean): Promise<readonly PlainSpan[]> {
    const only = await TracedProcess.start(rabbit(), telemetry);
    const handled = only.handled(2);
    await fetch(`${only.url}/a/b/c`, { method: 'POST' });
    await handled;
    return only.stop();
  }

  test('nothing is there twice where the library traces', async () => {
    const spans = await handleOne(true);
    expect(spans.filter((span) => !ours(span))).toEqual([]);
    expect(spans.filter(({ name }) => name.startsWith('process'))).toHaveLength(2);
  }, 120_000);

  test('it is left as it is where the library does not', async () => {
    const spans = await handleOne(false);
    expect(spans.filter((span) => !ours(span)).map(({ name }) => name)).toContain('publish <default>');
  }, 120_000);
});

test('connections that come back are counted', async () => {
  const proxy = await TcpProxy.start(sharedUrl());
  const { app, service, collection, producer } = await startCollectingApp({
    ...rabbit(),
    urls: [proxy.url],
    reconnect: { initial: 10, max: 50 },
  });
  try {
    expect(service.status().transport.reconnects).toBe(0);
    for (const connection of proxy.connections) connection.cut();
    await producer.publish('after', { shardingKey: 'k' });
    await collection.handled(1);
    expect(service.status().transport.reconnects).toBe(2);
  } finally {
    await app.close();
    await proxy.close();
  }
}, 60_000);

import type { Type } from '@nestjs/common';
import {
  discard,
  DataUpdaterService,
  EventsProducer,
  memory,
  MessageHandler,
  memoryStore,
  type DataUpdaterHandler,
  type MessageContext,
  type MississippiOptions,
} from '@mississippi/core';
import type { OpenTelemetryOptions } from '@mississippi/opentelemetry';
import { closeApps, startTracedApp } from './support/traced-app.js';
import { TestSdk } from './support/test-sdk.js';

let sdk: TestSdk;
beforeEach(() => void (sdk = new TestSdk().register()));
afterEach(async () => {
  await closeApps();
  TestSdk.unregister();
});

const gates = new Map<string, () => void>();

/** Does what its payloads say. */
function handling(): Type<DataUpdaterHandler> {
  @MessageHandler()
  class Handling implements DataUpdaterHandler {
    handleMessage(payload: unknown, _state: unknown, { attempt, publish }: MessageContext) {
      if (payload === 'fail once' && attempt === 1) throw new RangeError('out of range');
      if (payload === 'fail') throw new RangeError('out of range');
      if (payload === 'discard') return discard('for good');
      if (payload === 'pass on') publish('done', { shardingKey: 'other' });
      if (payload === 'wait') return new Promise<void>((resolve) => gates.set('wait', resolve)) as never;
      return undefined;
    }
    handleSignal(): number {
      return 1;
    }
  }
  return Handling;
}

async function start(options: Omit<MississippiOptions, 'telemetry'> = {}, telemetry: OpenTelemetryOptions = {}) {
  const app = await startTracedApp(
    handling(),
    { transport: memory({ totalCount: 4 }), failurePolicy: { attempts: 2, backoff: { initial: 0 } }, ...options },
    telemetry,
  );
  const producer = app.get(EventsProducer);
  const service = app.get(DataUpdaterService);
  /** Resolves when so many messages have left in whatever way. */
  const publish = async (key: string, ...payloads: string[]): Promise<void> => {
    for (const payload of payloads) await producer.publish(payload, { shardingKey: key });
  };
  return { app, publish, service };
}

/** Resolves once the metric shows it. */
async function until(name: string, attributes: readonly string[], expected: object): Promise<void> {
  for (;;) {
    const found = await sdk.metric(name, ...attributes);
    try {
      expect(found).toMatchObject(expected);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
let deadline = 0;
beforeEach(() => void (deadline = performance.now() + 20_000));

const DESTINATION = [
  'messaging.system.name',
  'messaging.destination.template',
  'messaging.operation.name',
  'error.type',
];

test('what becomes of messages is counted', async () => {
  const { publish } = await start();
  await publish('k', 'a', 'fail once', 'fail', 'discard', 'b');
  await until('mississippi.messages.handled', ['mississippi.instance'], { default: 3 });
  await until('mississippi.messages.dead_lettered', ['mississippi.reason'], { attempts_exhausted: 1, discarded: 1 });
  await until('mississippi.messages.discarded', ['mississippi.instance'], { default: 1 });
  await until('mississippi.messages.retried', ['mississippi.instance'], { default: 2 });
  await until('mississippi.messages.exhausted', ['mississippi.instance'], { default: 1 });
});

test('durations are those of the semantic conventions: by operation and by class of error', async () => {
  const { publish, service } = await start();
  await publish('k', 'a', 'fail once', 'b');
  await service.handleSignal('k', 's');
  await until('messaging.process.duration', DESTINATION, {
    'mississippi mississippi_{shard} process undefined': { count: 3 },
    'mississippi mississippi_{shard} process RangeError': { count: 1 },
    'mississippi mississippi_{shard} answer undefined': { count: 1 },
  });
  await until('messaging.client.operation.duration', DESTINATION, {
    'mississippi mississippi_{shard} publish undefined': { count: 3 },
    'mississippi mississippi_{shard} signal undefined': { count: 1 },
  });
  await until('messaging.client.sent.messages', DESTINATION, {
    'mississippi mississippi_{shard} publish undefined': 3,
  });
  await until('messaging.client.consumed.messages', DESTINATION, {
    'mississippi mississippi_{shard} process undefined': 3,
  });
  await until('mississippi.messages.latency', ['mississippi.instance'], { default: { count: 3 } });
});

test('what runs, waits, lives and is parked is read when somebody collects', async () => {
  const { publish, service } = await start();
  await publish('k', 'wait', 'a', 'b');
  await publish('l', 'a');
  const gauge = async (name: string): Promise<unknown> => (await sdk.metric(name, 'mississippi.instance'))['default'];
  await until('mississippi.attempts.running', ['mississippi.instance'], { default: 1 });
  await until('mississippi.keys.live', ['mississippi.instance'], { default: 2 });
  expect(await gauge('mississippi.messages.waiting')).toBe(2);
  expect(await gauge('mississippi.shards.owned')).toBe(4);
  expect(await gauge('mississippi.transport.connected')).toBe(1);
  await service.park('k');
  gates.get('wait')!();
  await until('mississippi.messages.parked', ['mississippi.instance'], { default: 2 });
  await until('mississippi.keys.parked', ['mississippi.instance'], { default: 1 });
  await until('mississippi.keys.parkings', ['mississippi.reason'], { held: 1 });
  expect(await gauge('mississippi.messages.oldest.age')).toBe(0);
});

test('commits and the outbox are told where there is a store', async () => {
  const { publish } = await start({ store: memoryStore() });
  await publish('k', 'pass on');
  await until('mississippi.messages.handled', ['mississippi.instance'], { default: 2 });
  const [commits] = Object.values(await sdk.metric('mississippi.store.commits', 'mississippi.instance'));
  expect(commits).toBeGreaterThanOrEqual(3);
  await until('mississippi.store.commit.duration', ['mississippi.instance'], { default: { min: expect.any(Number) } });
  await until('mississippi.store.connected', ['mississippi.instance'], { default: 1 });
  await until('mississippi.outbox.waiting', ['mississippi.instance'], { default: 0 });
});

test('no metric has a key, a message or a shard among its attributes', async () => {
  const { publish, service } = await start({ store: memoryStore() });
  await publish('k', 'fail', 'discard', 'pass on');
  await service.handleSignal('k', 's', { name: 'status' });
  await until('mississippi.messages.handled', ['mississippi.instance'], { default: 2 });
  const { metrics, attributes } = await sdk.metricNames();
  expect(metrics.length).toBeGreaterThan(20);
  expect(attributes.toSorted()).toEqual([
    'error.type',
    'messaging.destination.template',
    'messaging.operation.name',
    'messaging.operation.type',
    'messaging.system.name',
    'mississippi.instance',
    'mississippi.reason',
  ]);
});

test('no metric is made where none is wanted', async () => {
  const { publish } = await start({}, { metrics: false });
  await publish('k', 'a');
  await closeApps();
  expect((await sdk.metricNames()).metrics).toEqual([]);
  expect(sdk.spans).not.toEqual([]);
});

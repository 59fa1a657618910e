import { InvalidOptionsError, type MississippiEvent } from '@mississippi/core';
import type { EngineStatus, ObservedInstance } from '@mississippi/core/telemetry';
import { openTelemetry } from '@mississippi/opentelemetry';
import { FakeClock } from '@mississippi/testing';
import { TestSdk } from './support/test-sdk.js';

afterEach(() => TestSdk.unregister());

const OPERATION = { kind: 'signal', shard: 0, key: Buffer.of(1), name: undefined } as const;

function instanceOn(clock: FakeClock): ObservedInstance {
  return {
    name: 'default',
    destination: { system: 'mississippi', template: 'mississippi_{shard}', name: (shard) => `mississippi_${shard}` },
    clock,
    keyText: () => 'k',
    status: () => ({ shards: 1, stalledShards: [], transport: { connected: true } }) as unknown as EngineStatus,
  };
}

test('without an SDK nothing is recorded, and nothing is asked', () => {
  const telemetry = openTelemetry().attach(instanceOn(new FakeClock()));
  expect(telemetry.active).toBe(false);
  telemetry.detach();
});

test('an SDK that is registered later is found within a second', async () => {
  const clock = new FakeClock();
  const telemetry = openTelemetry().attach(instanceOn(clock));
  await clock.advance(5_000);
  expect(telemetry.active).toBe(false);
  const sdk = new TestSdk().register();
  await clock.advance(1_000);
  expect(telemetry.active).toBe(true);
  telemetry.begin(OPERATION)!.end({});
  telemetry.happened('handled');
  expect(sdk.spans.map(({ name }) => name)).toEqual(['signal mississippi_{shard}']);
  expect(await sdk.metric('mississippi.messages.handled', 'mississippi.instance')).toEqual({ default: 1 });
  telemetry.detach();
  expect(telemetry.active).toBe(false);
});

test('nobody looks for an SDK any more when both were found, none is wanted, or the instance has closed', () => {
  const wanted = new FakeClock();
  new TestSdk().register();
  openTelemetry().attach(instanceOn(wanted));
  expect(wanted.next).toBeUndefined();
  TestSdk.unregister();
  const none = new FakeClock();
  openTelemetry({ traces: false, metrics: false }).attach(instanceOn(none));
  expect(none.next).toBeUndefined();
  const closed = new FakeClock();
  openTelemetry().attach(instanceOn(closed)).detach();
  expect(closed.next).toBeUndefined();
});

test('providers that are given go before those that are registered', async () => {
  const [given, registered] = [new TestSdk(), new TestSdk().register()];
  const { tracerProvider, meterProvider } = given;
  const telemetry = openTelemetry({ tracerProvider, meterProvider }).attach(instanceOn(new FakeClock()));
  telemetry.begin(OPERATION)!.end({});
  telemetry.happened('handled');
  expect([given.spans.length, registered.spans.length]).toEqual([1, 0]);
  expect(await registered.metric('mississippi.messages.handled')).toEqual({});
  expect(await given.metric('mississippi.messages.handled')).not.toEqual({});
});

test.each<[string, object, string]>([
  ['an unknown option', { trace: true }, 'openTelemetry.trace'],
  ['no boolean', { traces: 'yes' }, 'openTelemetry.traces'],
  ['no provider of tracers', { tracerProvider: {} }, 'openTelemetry.tracerProvider'],
  ['no provider of meters', { meterProvider: null }, 'openTelemetry.meterProvider'],
])('%s is refused at once', (_, options, path) => {
  expect(() => openTelemetry(options)).toThrow(InvalidOptionsError);
  expect(() => openTelemetry(options)).toThrow(path);
});

test('what errors are called says nothing of single ones', async () => {
  const sdk = new TestSdk().register();
  const telemetry = openTelemetry().attach(instanceOn(new FakeClock()));
  const named = Object.assign(new TypeError('no'), { name: 'order 4711 failed' });
  const odd = new Proxy(new Error('odd'), {
    get: () => {
      throw new Error('not even that');
    },
  });
  for (const error of [named, 'text', odd, new (class extends Error {})()]) telemetry.begin(OPERATION)!.end({ error });
  expect(sdk.spans.map(({ attributes }) => attributes['error.type'])).toEqual([
    'TypeError',
    '_OTHER',
    '_OTHER',
    '_OTHER',
  ]);
});

test('an event that is not counted is passed over', () => {
  new TestSdk().register();
  const telemetry = openTelemetry().attach(instanceOn(new FakeClock()));
  const type: MississippiEvent['type'] = 'attemptStarted';
  expect(() => telemetry.happened(type)).not.toThrow();
});

test('an instance that has closed is asked for its status no more', async () => {
  const sdk = new TestSdk().register();
  let asked = 0;
  const instance = instanceOn(new FakeClock());
  const telemetry = openTelemetry().attach({ ...instance, status: () => (asked++, instance.status()) });
  expect(await sdk.metric('mississippi.shards.owned')).not.toEqual({});
  telemetry.detach();
  await sdk.metric('mississippi.shards.owned');
  expect(asked).toBe(1);
});

import {
  EventsProducer,
  InvalidMessageError,
  InvalidShardingKeyError,
  memory,
  MissingShardingKeyError,
  NotStartedError,
  PUBLISHED_AT_HEADER,
  PublishError,
  PublishTimeoutError,
  type MemoryTransportOptions,
  type MessageContext,
  type ShardingKey,
} from '../../src/index.js';
import { Engine } from '../../src/engine/engine.js';
import { resolveOptions } from '../../src/mississippi.options.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** An engine that notes what arrives, with the metadata of each message. */
async function startNoting(memoryOptions: MemoryTransportOptions = {}) {
  const arrived: { payload: unknown; context: MessageContext }[] = [];
  const engine = await startEngine(
    { handleMessage: (payload, _, context) => void arrived.push({ payload, context }) },
    { memory: memoryOptions },
  );
  return { arrived, payloads: () => arrived.map(({ payload }) => payload), broker: engine.transport.broker, ...engine };
}

describe('a message that is published', () => {
  test('[M20] is taken when the transport is connected: the promise resolves', async () => {
    const { producer, engine } = await startNoting();
    expect(engine.status().transport).toMatchObject({ connected: true, blocked: false });
    await expect(producer.publish('a', { shardingKey: 'k' })).resolves.toBeUndefined();
  });

  test.each<[string, ShardingKey]>([
    ['a string', 'device-1'],
    ['an integer', 42],
    ['a large integer', 2n ** 70n],
    ['bytes', Uint8Array.of(0, 255)],
    ['a list', ['tenant', 7]],
  ])('[M26] lands on the queue of its key: %s', async (_, key) => {
    const { send, arrived, shard } = await startNoting();
    await send(key, 'a');
    expect(arrived.map(({ context }) => context.shard)).toEqual([shard(key)]);
  });

  test('[M27] gets a timestamp where it has none: Unix time in whole seconds', async () => {
    const { send, arrived, clock } = await startNoting();
    await send('k', 'a');
    const { timestamp } = arrived[0]!.context;
    expect(Number.isInteger(timestamp)).toBe(true);
    expect(timestamp).toBe(Math.floor(clock.time() / 1_000));
  });

  test.each([1_700_000_000, 0])('[M28] keeps a timestamp that is given: %d', async (timestamp) => {
    const { publish, arrived } = await startNoting();
    await publish('k', 'a', { timestamp });
    await settled();
    expect(arrived[0]!.context.timestamp).toBe(timestamp);
  });

  test('[M29] arrives at the handler', async () => {
    const { send, payloads } = await startNoting();
    await send('k', { temperature: 21.5 });
    expect(payloads()).toEqual([{ temperature: 21.5 }]);
  });

  test('gets a message id of its own where it has none, and keeps one that is given', async () => {
    const { publish, arrived } = await startNoting();
    await publish('k', 'a');
    await publish('k', 'b');
    await publish('k', 'c', { messageId: 'mine' });
    await settled();
    const ids = arrived.map(({ context }) => context.messageId);
    expect(new Set(ids).size).toBe(3);
    expect(ids[2]).toBe('mine');
  });

  test('keeps its headers and gets the time of its publishing', async () => {
    const { publish, arrived, clock } = await startNoting();
    await publish('k', 'a', { headers: { trace: 'x' } });
    await settled();
    const { headers } = arrived[0]!.context;
    expect(headers['trace']).toBe('x');
    expect(headers[PUBLISHED_AT_HEADER]).toBe(clock.time());
  });

  test('is handled in the order of the publish calls of its key, though none is awaited', async () => {
    const { publish, payloads } = await startNoting();
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    await Promise.all(numbers.map((number) => publish('k', number)));
    await settled();
    expect(payloads()).toEqual(numbers);
  });
});

describe('a message that is refused', () => {
  test('[M24] without a sharding key', async () => {
    const { producer, broker } = await startNoting();
    const keyless = { shardingKey: undefined as unknown as ShardingKey };
    await expect(producer.publish('a', keyless)).rejects.toBeInstanceOf(MissingShardingKeyError);
    await expect(producer.publish('a', undefined as unknown as typeof keyless)).rejects.toBeInstanceOf(
      MissingShardingKeyError,
    );
    await settled();
    expect(broker.length).toBe(0);
  });

  test('with a sharding key that is no term, or larger than 16 KB', async () => {
    const { publish } = await startNoting();
    await expect(publish(Symbol('k') as never, 'a')).rejects.toBeInstanceOf(InvalidShardingKeyError);
    await expect(publish('x'.repeat(20_000), 'a')).rejects.toBeInstanceOf(InvalidShardingKeyError);
  });

  test.each([1.5, NaN, Infinity, '1700000000', null, new Date()])(
    '[M25] with a timestamp that is not an integer: %p',
    async (timestamp) => {
      const { publish } = await startNoting();
      await expect(publish('k', 'a', { timestamp: timestamp as number })).rejects.toBeInstanceOf(InvalidMessageError);
    },
  );

  test('with a message id that is no string', async () => {
    const { publish } = await startNoting();
    await expect(publish('k', 'a', { messageId: 7 as unknown as string })).rejects.toBeInstanceOf(InvalidMessageError);
  });

  test('[M21] before the transport is connected, with a typed answer', async () => {
    const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };
    const options = resolveOptions('default', {});
    const producer = new EventsProducer({
      engine: new Engine({ options, handler: undefined, handlerName: '', logger }),
    });
    await expect(producer.publish('a', { shardingKey: 'k' })).rejects.toBeInstanceOf(NotStartedError);
  });

  test('once the transport is closed, with a typed answer', async () => {
    const { publish, engine } = await startNoting();
    await engine.stop();
    const error = await publish('k', 'a').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toHaveProperty('reason', 'closed');
  });
});

describe('while the transport takes no messages', () => {
  test('[M22] publish waits, and after its time-out answers with a typed error; nothing was sent', async () => {
    const { publish, broker, payloads, engine, clock } = await startNoting();
    broker.block();
    expect(engine.status().transport.blocked).toBe(true);
    const late = publish('k', 'a', { timeout: 1 }).catch((e: unknown) => e);
    await clock.advance(1);
    const error = await late;
    expect(error).toBeInstanceOf(PublishTimeoutError);
    expect(error).toHaveProperty('sent', false);
    broker.unblock();
    await settled();
    expect(payloads()).toEqual([]);
  });

  test('[M23] publish goes on by itself when the transport is back, in call order', async () => {
    const { publish, broker, payloads } = await startNoting();
    broker.block();
    const waiting = ['a', 'b', 'c'].map((payload) => watch(publish('k', payload)));
    await settled();
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
    broker.unblock();
    await publish('k', 'd');
    await settled();
    expect(waiting.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(payloads()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('one that timed out leaves no gap for those behind it', async () => {
    const { publish, broker, payloads, clock } = await startNoting();
    broker.block();
    const late = publish('k', 'a', { timeout: 1 });
    const others = [publish('k', 'b'), publish('k', 'c')];
    const refusal = late.catch((error: unknown) => error);
    await clock.advance(1);
    expect(await refusal).toBeInstanceOf(PublishTimeoutError);
    broker.unblock();
    await Promise.all(others);
    await settled();
    expect(payloads()).toEqual(['b', 'c']);
  });

  test('a publish that still waits when the app closes is answered, not left hanging', async () => {
    const { publish, broker, engine } = await startNoting();
    broker.block();
    const waiting = watch(publish('k', 'a'));
    await engine.stop();
    await settled();
    expect(waiting.value).toMatchObject({ code: 'publish_failed', reason: 'closed' });
  });
});

describe('back-pressure', () => {
  test('a full transport makes publish wait until a message is settled', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { publish } = await startEngine(handler, { memory: { capacity: 2 } });
    await publish('k', 'a');
    await publish('k', 'b');
    const third = watch(publish('k', 'c'));
    const fourth = watch(publish('l', 'd'));
    await settled();
    expect([third.state, fourth.state]).toEqual(['pending', 'pending']);
    gates.open('a');
    await settled();
    expect([third.state, fourth.state]).toEqual(['resolved', 'pending']);
    gates.open('b');
    await settled();
    expect(fourth.state).toBe('resolved');
  });

  test('no more messages than the prefetch window are delivered and unsettled', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { publish, service } = await startEngine(handler, { memory: { totalCount: 1, prefetch: 3 } });
    for (const payload of ['1', '2', '3', '4', '5']) await publish('k', payload);
    await settled();
    expect([...service.liveKeys()]).toMatchObject([{ queued: 3 }]);
    gates.open('1');
    await settled();
    expect([...service.liveKeys()]).toMatchObject([{ queued: 3 }]);
    expect(gates.names).toEqual(['2']);
  });
});

test('an app that only publishes owns no shard; another one handles what it publishes', async () => {
  const { broker } = memory();
  const producing = await startEngine({ handleMessage: () => undefined }, { memory: { broker }, producerOnly: true });
  const consuming = await startNoting({ broker });
  await producing.send('k', 'a');
  expect(producing.engine.status().shards).toBe(0);
  expect(consuming.engine.status().shards).toBe(128);
  expect(consuming.payloads()).toEqual(['a']);
});

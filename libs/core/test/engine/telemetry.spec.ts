import { Logger } from '@nestjs/common';
import { Subject } from 'rxjs';
import { ack, discard, memoryStore, systemClock, type MessageContext, type MississippiEvent } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { rest, World } from '../support/durable-engine.js';
import { Gates } from '../support/recording-handler.js';
import { RecordingTelemetry } from '../support/recording-telemetry.js';
import { replaceMethod } from '../support/replace-method.js';
import { startEngine } from '../support/test-engine.js';
import { EngineTelemetry } from '../../src/engine/base/engine-telemetry.js';
import { EventSource } from '../../src/engine/base/event-source.js';
import { Log } from '../../src/engine/base/log.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import type { ObservedInstance, Telemetry, Trace } from '../../src/telemetry/index.js';

describe('the operations that telemetry hears of', () => {
  test('are a publish, and the callbacks of its message, which come after it in nobody’s context', async () => {
    const telemetry = new RecordingTelemetry();
    const seen: unknown[] = [];
    const { send, shard } = await startEngine(
      {
        init: () => void seen.push(telemetry.within),
        async handleMessage(_payload, _state, { headers }: MessageContext) {
          seen.push(telemetry.within);
          await Promise.resolve();
          seen.push(telemetry.within, headers['trace']);
        },
      },
      { telemetry },
    );
    await send('k', 'a');
    expect(telemetry.lines).toEqual([
      'publish 1 in nothing: ended',
      'init 1 in nothing: ended',
      'handleMessage 1 in nothing: ack',
    ]);
    expect(seen).toEqual(['init 1', 'handleMessage 1', 'handleMessage 1', 'publish 1']);
    expect(telemetry.operations[2]!.operation).toMatchObject({
      shard: shard('k'),
      epoch: 1,
      key: encodeShardingKey('k'),
      attempt: 1,
      called: false,
    });
  });

  test('are a signal and the callback that answers it, in its context', async () => {
    const telemetry = new RecordingTelemetry();
    const { service } = await startEngine(
      { handleMessage: () => undefined, handleSignal: () => telemetry.within },
      { telemetry },
    );
    expect(await service.handleSignal('k', 's', { name: 'status' })).toBe('handleSignal 1');
    expect(telemetry.lines).toEqual(['signal 1 in nothing: ended', 'handleSignal 1 in signal 1: ended']);
    expect(telemetry.operations[1]!.operation).toMatchObject({
      signalName: 'status',
      called: true,
      message: undefined,
    });
  });

  test('are what a callback does: its publishes, its signals, its messages to other keys', async () => {
    const telemetry = new RecordingTelemetry();
    const { send, service, producer } = await startEngine(
      {
        async handleMessage(payload) {
          if (payload !== 'first') return;
          await producer.publish('second', { shardingKey: 'other' });
          await service.handleSignal('third', 's');
          await service.handleMessage('fourth', { payload: 'x' });
        },
        handleSignal: () => 1,
      },
      { telemetry },
    );
    await send('k', 'first');
    expect(telemetry.lines).toEqual([
      'publish 1 in nothing: ended',
      'handleMessage 1 in nothing: ack',
      'publish 2 in handleMessage 1: ended',
      'handleMessage 2 in nothing: ack',
      'signal 1 in handleMessage 1: ended',
      'handleSignal 1 in signal 1: ended',
      'handleMessage 3 in handleMessage 1: ack',
    ]);
  });

  test('are a continuation, which follows its message, and none that nothing caused', async () => {
    const telemetry = new RecordingTelemetry();
    const seen: unknown[] = [];
    const { send, engine } = await startEngine(
      {
        handleMessage: () => ack(undefined, { continue: 1 }),
        handleContinue: () => void seen.push(telemetry.within),
        terminate: () => void seen.push(telemetry.within),
      },
      { telemetry },
    );
    await send('k', 'a');
    await engine.stop();
    expect(telemetry.lines.at(-1)).toBe('handleContinue 1 in handleMessage 1: ended');
    expect(seen).toEqual(['handleContinue 1', undefined]);
    expect(telemetry.detached).toBe(true);
  });

  test('end as they did: each attempt by itself, and what is no outcome as a failure', async () => {
    const telemetry = new RecordingTelemetry();
    const answers = [() => Promise.reject(new Error('no')), () => 7, () => discard('for good')];
    const { send, clock } = await startEngine({ handleMessage: () => answers.shift()!() as never }, { telemetry });
    await send('k', 'a');
    await clock.advance(10_000);
    await settled();
    expect(telemetry.lines.slice(1)).toEqual([
      'handleMessage 1 in nothing: failed: Error: no',
      expect.stringMatching(/^handleMessage 2 in nothing: failed: InvalidOutcomeError: /),
      'handleMessage 3 in nothing: discard',
    ]);
    expect(
      telemetry.operations.slice(1).map(({ operation }) => operation.kind === 'callback' && operation.attempt),
    ).toEqual([1, 2, 3]);
  });

  test('end when they are abandoned, and once', async () => {
    const telemetry = new RecordingTelemetry();
    const gates = new Gates();
    const { send, clock } = await startEngine(
      { handleMessage: (payload) => gates.at(String(payload)) },
      { telemetry, handlerTimeout: 1_000, failurePolicy: { attempts: 1 } },
    );
    await send('k', 'a');
    await clock.advance(2_000);
    gates.open('a', undefined);
    await settled();
    expect(telemetry.lines[1]).toMatch(/^handleMessage 1 in nothing: failed: HandlerTimeoutError: /);
  });

  test('fail as a publish does', async () => {
    const telemetry = new RecordingTelemetry();
    const { engine, publish } = await startEngine({ handleMessage: () => undefined }, { telemetry });
    replaceMethod(engine.connection().publisher, 'publish', () => () => Promise.reject(new Error('the queue is full')));
    await expect(publish('k', 'a')).rejects.toThrow('the queue is full');
    expect(telemetry.lines).toEqual(['publish 1 in nothing: failed: Error: the queue is full']);
  });
});

describe('with a store', () => {
  const passing = {
    handleMessage(payload: unknown, _state: unknown, context: MessageContext) {
      if (payload !== 'first') return undefined;
      context.publish('second', { shardingKey: 'other' });
      return ack(1, { publish: [{ payload: 'third', shardingKey: 'other' }] });
    },
  };

  test('what a callback publishes is made in it, and leaves later; and commits are told', async () => {
    const telemetry = new RecordingTelemetry();
    const { send } = await new World().start(passing, { telemetry });
    await send('k', 'first');
    expect(telemetry.lines).toEqual([
      'publish 1 in nothing: ended',
      'handleMessage 1 in nothing: ack',
      'create 1 in handleMessage 1: ended',
      'create 2 in handleMessage 1: ended',
      'relay 1 in nothing: ended',
      'relay 2 in nothing: ended',
      'handleMessage 2 in nothing: ack',
      'handleMessage 3 in nothing: ack',
    ]);
    const [relayed] = telemetry.operations.filter(({ operation }) => operation.kind === 'relay');
    expect(relayed!.operation).toMatchObject({ message: { headers: { trace: 'create 1' } } });
    expect(telemetry.commits.length).toBeGreaterThan(0);
    for (const { size, error } of telemetry.commits) expect([size > 0, error]).toEqual([true, undefined]);
  });

  test('a publish that the store takes first is made by its caller, and leaves later', async () => {
    const telemetry = new RecordingTelemetry();
    const { publish } = await new World().embed({ handleMessage: () => undefined }, { telemetry });
    await publish('k', 'a');
    await rest();
    expect(telemetry.lines).toEqual([
      'create 1 in nothing: ended',
      'relay 1 in nothing: ended',
      'handleMessage 1 in nothing: ack',
    ]);
  });

  test('a message that was made where nothing was recorded carries where it left', async () => {
    const world = new World();
    const first = await world.start(passing);
    replaceMethod(
      first.engine.connection().publisher,
      'publish',
      (publish) =>
        (message, ...rest) =>
          Buffer.compare(message.key, encodeShardingKey('other')) === 0
            ? Promise.reject(new Error('full'))
            : publish(message, ...rest),
    );
    await first.send('k', 'first');
    await first.kill();
    const seen: unknown[] = [];
    await world.start(
      { handleMessage: (_payload, _state, { headers }: MessageContext) => void seen.push(headers['trace']) },
      { telemetry: new RecordingTelemetry() },
    );
    await rest();
    expect(seen).toEqual(['relay 1', 'relay 2']);
  });

  test('a commit that the store does not take is told with its error, and again when it does', async () => {
    const telemetry = new RecordingTelemetry();
    const { send, store, clock } = await new World().start({ handleMessage: () => ack(1) }, { telemetry });
    store.fail('commit');
    await send('k', 'a');
    await clock.advance(10_000);
    await rest();
    expect(
      telemetry.commits.map(({ size, error }) => ({ size, error: (error as Error | undefined)?.message })),
    ).toEqual([
      { size: 1, error: 'it was not sent' },
      { size: 1, error: undefined },
    ]);
  });

  test('a group of commits goes to the store in nobody’s context, since it is on behalf of many', async () => {
    const telemetry = new RecordingTelemetry();
    const within: unknown[] = [];
    const store = memoryStore();
    const connect = store.connect.bind(store);
    store.connect = async (context) => {
      const connection = await connect(context);
      for (const method of ['commit', 'load', 'lookUp'] as const) {
        const original = connection[method].bind(connection) as (...args: unknown[]) => unknown;
        Reflect.set(connection, method, (...args: unknown[]) => {
          within.push(`${method} in ${telemetry.within ?? 'nothing'}`);
          return original(...args);
        });
      }
      return connection;
    };
    const { service, producer } = await startEngine(
      {
        handleMessage: (payload) =>
          payload === 'a' ? void service.handleMessage('other', { payload: 'b', messageId: 'b' }) : undefined,
        handleSignal: () => void producer.publish('c', { shardingKey: 'third' }),
      },
      { telemetry, store },
    );
    await service.handleMessage('k', { payload: 'a', messageId: 'a' });
    await service.handleSignal('k', 's');
    await rest();
    expect(new Set(within)).toEqual(new Set(['commit in nothing', 'load in nothing', 'lookUp in nothing']));
  });
});

describe('what telemetry counts', () => {
  test('is what listeners hear, in that order, with the reason where there are few', async () => {
    const telemetry = new RecordingTelemetry();
    const answers: (() => unknown)[] = [
      () => Promise.reject(new Error('no')),
      () => undefined,
      () => discard('for good'),
    ];
    const { send, clock, events, service } = await startEngine(
      { handleMessage: () => answers.shift()?.() as never, handleSignal: () => 1 },
      { telemetry, memory: { totalCount: 1 } },
    );
    await send('k', 'a');
    await clock.advance(10_000);
    await send('k', 'b');
    await service.handleSignal('k', 's');
    await service.park('k');
    await settled();
    expect(telemetry.events).toEqual([
      'shardOwned',
      'started',
      'attemptStarted',
      'retried',
      'deactivated',
      'started',
      'attemptStarted',
      'handled',
      'attemptStarted',
      'discarded: for good',
      'deadLettered: discarded',
      'signalled',
      'parked: held',
    ]);
    expect(telemetry.events.map((told) => told.split(':')[0])).toEqual(
      ['shardOwned', ...events.map(({ type }) => type)].slice(-13),
    );
  });

  test('is counted where nobody listens, and nobody is told', () => {
    const telemetry = new RecordingTelemetry();
    const subject = new Subject<MississippiEvent>();
    const engineTelemetry = new EngineTelemetry(telemetry, new Log(new Logger()), systemClock);
    const source = new EventSource(subject, engineTelemetry);
    expect(source.sink).toBeUndefined();
    engineTelemetry.attach({} as ObservedInstance);
    source.sink!.shard('shardOwned', { shard: 0, number: 1 });
    telemetry.active = false;
    expect(source.sink).toBeUndefined();
    expect(telemetry.events).toEqual(['shardOwned']);
  });

  test('of a message without a key is its dead letter', async () => {
    const telemetry = new RecordingTelemetry();
    const { transport } = await startEngine({ handleMessage: () => undefined }, { telemetry });
    transport.broker.inject(0, { key: undefined, body: Buffer.of(1), messageId: 'x', timestamp: undefined });
    await settled();
    expect(telemetry.events).toEqual([...Array<string>(128).fill('shardOwned'), 'deadLettered: key_missing']);
  });
});

describe('telemetry', () => {
  test('that records nothing at present is asked for nothing', async () => {
    const telemetry = new RecordingTelemetry();
    telemetry.active = false;
    const { send, service } = await new World().start(
      { handleMessage: () => ack(1), handleSignal: () => telemetry.within ?? 'nothing' },
      { telemetry },
    );
    await send('k', 'a');
    expect(await service.handleSignal('k', 's')).toBe('nothing');
    expect([telemetry.operations, telemetry.events, telemetry.commits]).toEqual([[], [], []]);
  });

  test('that throws whenever it can holds nobody up, and is logged', async () => {
    const fail = (): never => {
      throw new Error('broken');
    };
    const trace: Trace = { headers: undefined, run: (work) => work(), end: fail };
    let begins = 0;
    const telemetry: Telemetry = {
      name: 'broken',
      traces: true,
      attach: () => ({
        active: true,
        begin: () => (begins++ % 2 === 0 ? fail() : trace),
        happened: fail,
        committed: fail,
        detach: fail,
      }),
    };
    const handled: unknown[] = [];
    const { send, service, engine, logs } = await new World().start(
      { handleMessage: (payload) => void handled.push(payload), handleSignal: () => 1 },
      { telemetry },
    );
    await send('k', 'a', 'b', 'c');
    expect(await service.handleSignal('k', 's')).toBe(1);
    await engine.stop();
    expect(handled).toEqual(['a', 'b', 'c']);
    expect(logs.filter((line) => line.includes('telemetry (broken) threw'))).toHaveLength(1);
  });

  test('adds no header in place of one that the publisher gave', async () => {
    const telemetry = new RecordingTelemetry();
    const seen: unknown[] = [];
    const { publish } = await startEngine(
      { handleMessage: (_payload, _state, { headers }: MessageContext) => void seen.push(headers['trace']) },
      { telemetry },
    );
    await publish('k', 'a', { headers: { trace: 'mine' } });
    await settled();
    expect(seen).toEqual(['mine']);
  });
});

test('messages that wait are counted, those that are handled and those that are parked are not', async () => {
  const gates = new Gates();
  const { publish, service } = await startEngine({ handleMessage: (payload) => gates.at(String(payload)) });
  for (const payload of ['a', 'b', 'c']) await publish('k', payload);
  for (const payload of ['d', 'e']) await publish('l', payload);
  await settled();
  expect(service.status()).toMatchObject({ waitingMessages: 3, runningAttempts: 2 });
  await service.park('k');
  gates.open('a', undefined);
  await settled();
  expect(service.status()).toMatchObject({ waitingMessages: 1, runningAttempts: 1, parkedMessages: 2 });
});

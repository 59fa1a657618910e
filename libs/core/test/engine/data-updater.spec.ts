import {
  ack,
  DataUpdaterStartError,
  InvalidShardingKeyError,
  memory,
  ShardNotOwnedError,
  stop,
  type CallbackContext,
} from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

describe('start', () => {
  test.each([
    ['a message', (engine: Awaited<ReturnType<typeof startEngine>>) => engine.publish('k', 'a'), 'message a'],
    [
      'a signal',
      (engine: Awaited<ReturnType<typeof startEngine>>) => engine.service.handleSignal('k', 's'),
      'signal s',
    ],
  ])('[M5] a data updater is started for a key by %s', async (_, trigger, call) => {
    const handler = new RecordingHandler();
    const engine = await startEngine(handler);
    await trigger(engine);
    await settled();
    expect(handler.of('k')).toEqual(['init', call]);
  });

  test('[M5] a data updater is started for a key by getDataUpdater, and calls nothing but init', async () => {
    const handler = new RecordingHandler();
    const { service, shard } = await startEngine(handler);
    const updater = await service.getDataUpdater('k');
    expect(updater).toMatchObject({ key: 'k', shard: shard('k'), epoch: 1, alive: true });
    expect(handler.calls).toEqual(['k init']);
  });

  test('[M6] a data updater is never doubled for the same key, however many ask while it starts', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ init: () => gates.at('init') });
    const { service, publish } = await startEngine(handler);
    const asked = [service.getDataUpdater('k'), service.getDataUpdater('k'), service.handleSignal('k', 's')];
    await publish('k', 'a');
    asked.push(service.getDataUpdater('k'));
    await settled();
    expect(gates.names).toEqual(['init']);
    gates.open('init');
    const [first, second, , third] = await Promise.all(asked);
    await settled();
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(handler.of('k').filter((call) => call === 'init')).toHaveLength(1);
  });

  test('getDataUpdater gives the same reference while the data updater lives, whatever it handles meanwhile', async () => {
    const { service, send } = await startEngine(new RecordingHandler());
    const updater = await service.getDataUpdater('k');
    await send('k', 'a', 'b');
    await service.handleSignal('k', 's');
    expect(await service.getDataUpdater('k')).toBe(updater);
  });

  test('[M7] a data updater is started anew after it ended, and getDataUpdater gives a fresh reference', async () => {
    const handler = new RecordingHandler({ handleMessage: () => stop('done') });
    const { service, send } = await startEngine(handler);
    const old = await service.getDataUpdater('k');
    await send('k', 'a');
    expect(old.alive).toBe(false);
    const fresh = await service.getDataUpdater('k');
    expect(fresh).not.toBe(old);
    expect(fresh.alive).toBe(true);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate done', 'init']);
  });

  test('getDataUpdater during terminate waits and gives a fresh one', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => stop('done'), terminate: () => gates.at('terminate') });
    const { service, send } = await startEngine(handler);
    const old = await service.getDataUpdater('k');
    await send('k', 'a');
    const asked = watch(service.getDataUpdater('k'));
    await settled();
    expect(asked.state).toBe('pending');
    gates.open('terminate');
    await settled();
    expect(asked.value).toMatchObject({ alive: true });
    expect(asked.value).not.toBe(old);
  });

  test('where init fails, getDataUpdater rejects with a DataUpdaterStartError and its cause', async () => {
    const cause = new Error('no database');
    const { service } = await startEngine({
      init: () => Promise.reject(cause),
      handleMessage: () => undefined,
    });
    const error = await service.getDataUpdater('k').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataUpdaterStartError);
    expect(error).toHaveProperty('cause', cause);
  });

  test('a handler without init starts with the state undefined', async () => {
    const states: unknown[] = [];
    const { send } = await startEngine({ handleMessage: (_, state) => void states.push(state) });
    await send('k', 'a');
    expect(states).toEqual([undefined]);
  });

  test('for a key whose shard lives elsewhere getDataUpdater refuses and points to the calls that reach it', async () => {
    const { broker } = memory({ totalCount: 1 });
    await startEngine(new RecordingHandler(), { memory: { broker } });
    const { service } = await startEngine(new RecordingHandler(), { memory: { broker } });
    const error = await service.getDataUpdater('k').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShardNotOwnedError);
    expect(String(error)).toMatch(/EventsProducer\.publish .*handleSignal/s);
  });

  test('a key that is no term is refused with a typed error', async () => {
    const { service } = await startEngine(new RecordingHandler());
    await expect(service.getDataUpdater(Symbol('k') as never)).rejects.toBeInstanceOf(InvalidShardingKeyError);
  });
});

describe('callbacks', () => {
  test('callbacks of one key never overlap', async () => {
    const running = new Set<string>();
    let most = 0;
    const gates = new Gates();
    const enter = async (name: string): Promise<void> => {
      running.add(name);
      most = Math.max(most, running.size);
      await gates.at(name);
      running.delete(name);
    };
    const { publish, service } = await startEngine({
      init: () => enter('init'),
      async handleMessage(payload) {
        await enter('message');
        return payload === 'last' ? stop('done') : ack(undefined, { continue: 1 });
      },
      handleSignal: () => enter('signal'),
      handleContinue: () => enter('continue'),
      terminate: () => enter('terminate'),
    });
    await publish('k', 'a');
    await publish('k', 'last');
    await settled();
    const signals = [service.handleSignal('k', 's'), service.handleSignal('k', 's')];
    for (const name of ['init', 'message', 'continue', 'signal', 'signal', 'message', 'terminate']) {
      expect(gates.names).toEqual([name]);
      gates.open(name);
      await settled();
    }
    await Promise.all(signals);
    expect(most).toBe(1);
  });

  test('callbacks of different keys run side by side', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send } = await startEngine(handler);
    await send('k', 'a');
    await send('l', 'b');
    expect(gates.names).toEqual(['a', 'b']);
  });

  test('every callback gets a context: instance, key, shard, attempt, redelivered, epoch', async () => {
    const seen: Record<string, unknown>[] = [];
    const note = ({ instance, key, shard, attempt, redelivered, epoch }: CallbackContext): void =>
      void seen.push({ instance, key, shard, attempt, redelivered, epoch });
    const { send, service, shard } = await startEngine({
      init: (_, context) => note(context),
      handleMessage(payload, _, context) {
        note(context);
        return payload === 'a' ? ack(undefined, { continue: 1 }) : stop('done');
      },
      handleContinue: (_, __, context) => note(context),
      handleSignal: (_, __, context) => note(context),
      terminate: (_, __, context) => note(context),
    });
    await service.handleSignal('k', 's');
    await send('k', 'a', 'b');
    const place = { instance: 'default', key: 'k', shard: shard('k'), epoch: 1, redelivered: false };
    const unprompted = { ...place, attempt: 0 };
    const attempt = { ...place, attempt: 1 };
    expect(seen).toEqual([unprompted, unprompted, attempt, unprompted, attempt, unprompted]);
  });

  test('the context of a message has its id, timestamp and headers', async () => {
    const seen: unknown[] = [];
    const { publish } = await startEngine({
      handleMessage: (_, __, { messageId, timestamp, headers }) => void seen.push({ messageId, timestamp, headers }),
    });
    await publish('k', 'a', { messageId: 'id-1', timestamp: 1_700_000_000, headers: { trace: 'x' } });
    await settled();
    expect(seen).toEqual([
      { messageId: 'id-1', timestamp: 1_700_000_000, headers: expect.objectContaining({ trace: 'x' }) as unknown },
    ]);
  });

  test('the AbortSignal of a context is made only when it is asked for, and once', async () => {
    const Original = globalThis.AbortController;
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made++;
      }
    };
    const signals = new Set<AbortSignal>();
    const { send } = await startEngine({
      handleMessage(payload, _, context) {
        if (payload === 'asks') signals.add(context.abortSignal).add(context.abortSignal);
      },
    });
    await send('k', 'quiet', 'quiet');
    expect(made).toBe(0);
    await send('k', 'asks');
    globalThis.AbortController = Original;
    expect(made).toBe(1);
    expect(signals.size).toBe(1);
  });
});

describe('a callback that throws', () => {
  test('[M16] ends the data updater; its state is dropped and a fresh one gets the message again', async () => {
    const states: unknown[] = [];
    let made = 0;
    const handler = new RecordingHandler<number>({
      init: () => ++made,
      handleMessage(payload, state, { attempt }) {
        states.push(state);
        if (payload === 'b' && attempt === 1) throw new Error('broken');
        return ack(state + 10);
      },
    });
    const { send, clock } = await startEngine(handler);
    await send('k', 'a', 'b', 'c');
    await clock.advance(100);
    expect(handler.of('k')).toEqual([
      'init',
      'message a',
      'message b',
      'terminate broken',
      'init',
      'message b',
      'message c',
    ]);
    expect(states).toEqual([1, 11, 2, 12]);
  });

  test('in handleSignal rejects its caller too', async () => {
    const broken = new Error('broken');
    const handler = new RecordingHandler({ handleSignal: () => Promise.reject(broken) });
    const { service, send } = await startEngine(handler);
    await expect(service.handleSignal('k', 's')).rejects.toMatchObject({
      name: 'Error',
      message: 'broken',
      code: 'remote_signal',
      cause: broken,
    });
    await send('k', 'a');
    expect(handler.of('k')).toEqual(['init', 'signal s', 'terminate broken', 'init', 'message a']);
  });

  test('in handleContinue ends the data updater, and its message stays settled', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'a' ? ack(undefined, { continue: 'x' }) : undefined),
      handleContinue: () => Promise.reject(new Error('broken')),
    });
    const { send, clock, transport, logs } = await startEngine(handler);
    await send('k', 'a', 'b');
    await clock.advance(60_000);
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue x', 'terminate broken', 'init', 'message b']);
    expect(transport.broker.length).toBe(0);
    expect(transport.broker.deadLetters).toEqual([]);
    expect(logs.join()).toContain('handleContinue of the key "k" failed: Error: broken');
  });

  test('in terminate is logged, and the key goes on', async () => {
    const handler = new RecordingHandler({
      handleMessage: () => stop('done'),
      terminate: () => Promise.reject(new Error('broken')),
    });
    const { send, logs } = await startEngine(handler);
    await send('k', 'a', 'b');
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(logs.join()).toContain('terminate of the key "k" failed: Error: broken');
  });
});

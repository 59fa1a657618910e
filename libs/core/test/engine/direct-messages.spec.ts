import {
  ack,
  AttemptsExhaustedError,
  DataUpdaterStartError,
  discard,
  InvalidMessageError,
  memory,
  MessageTimeoutError,
  ok,
  OwnKeyError,
  ShardNotOwnedError,
  stop,
  type CallbackContext,
  type DataUpdaterService,
} from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const BROKEN = new Error('broken');

describe('service.handleMessage', () => {
  test.each([
    ['ack', ack(7, { continue: 1 })],
    ['discard', discard('no')],
    ['stop', stop('done')],
  ])('tells the outcome of the handler: %s', async (_, outcome) => {
    const { service } = await startEngine({ handleMessage: () => outcome, handleContinue: () => undefined });
    expect(await service.handleMessage('k', { payload: 'a' })).toBe(outcome);
  });

  test('tells ack where the handler returns nothing', async () => {
    const { service } = await startEngine({ handleMessage: () => undefined });
    expect(await service.handleMessage('k', { payload: 'a' })).toEqual(ack());
  });

  test('hands over payload, headers, message id and timestamp as they are', async () => {
    const seen: unknown[] = [];
    const payload = { big: 1n };
    const { service } = await startEngine({
      handleMessage: (arrived, _, { headers, messageId, timestamp, redelivered }) =>
        void seen.push(arrived, headers, messageId, timestamp, redelivered),
    });
    const headers = { trace: 'x' };
    await service.handleMessage('k', { payload, headers, messageId: 'id-1', timestamp: 17 });
    expect(seen).toEqual([payload, headers, 'id-1', 17, false]);
    expect(seen[0]).toBe(payload);
  });

  test('enters the tail of the FIFO: what came before goes before, what comes later waits', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send, service } = await startEngine(handler);
    await send('k', 'a', 'b');
    const direct = watch(service.handleMessage('k', { payload: 'c' }));
    await send('k', 'd');
    for (const name of ['a', 'b', 'c', 'd']) {
      expect(gates.names).toEqual([name]);
      expect(direct.state === 'resolved').toBe(name === 'd');
      gates.open(name);
      await settled();
    }
  });

  test('acts on the state as any message: continuation, discard and stop too', async () => {
    const handler = new RecordingHandler<number>({
      init: () => 0,
      handleMessage: (payload, state) =>
        payload === 'bye' ? stop(`at ${state}`) : ack(state + 1, { continue: `${state + 1}` }),
      handleContinue: (_, state) => ok(state + 10),
    });
    const { service, transport } = await startEngine(handler);
    await service.handleMessage('k', { payload: 'a' });
    await service.handleMessage('k', { payload: 'bye' });
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue 1', 'message bye', 'terminate at 11']);
    expect(transport.broker.deadLetters).toEqual([]);
  });

  test('is retried by the failure policy; then it rejects with the last error as its cause', async () => {
    const { service, clock, transport, of } = await startEngine({ handleMessage: () => Promise.reject(BROKEN) });
    const direct = watch(service.handleMessage('k', { payload: 'a' }));
    await clock.advance(1_499);
    expect(direct.state).toBe('pending');
    await clock.advance(1);
    expect(direct.value).toBeInstanceOf(AttemptsExhaustedError);
    expect(direct.value).toMatchObject({ attempts: 5, cause: BROKEN });
    expect(of('exhausted')).toHaveLength(1);
    expect(transport.broker.deadLetters).toEqual([]);
  });

  test('is never parked: it rejects, and the key goes on', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'bad' ? Promise.reject(BROKEN) : undefined),
    });
    const { service, send, of } = await startEngine(handler, {
      failurePolicy: { attempts: 1, onExhausted: 'park' },
    });
    await expect(service.handleMessage('k', { payload: 'bad' })).rejects.toBeInstanceOf(AttemptsExhaustedError);
    await send('k', 'b');
    expect(of('parked')).toEqual([]);
    expect(handler.messages('k')).toEqual(['bad', 'b']);
  });

  test('is never dead-lettered when it is discarded', async () => {
    const { service, transport } = await startEngine({ handleMessage: () => stop('no', { settle: 'discard' }) });
    await service.handleMessage('k', { payload: 'a' });
    expect(transport.broker.deadLetters).toEqual([]);
  });

  test('where init fails it is retried, and rejects after as many attempts', async () => {
    const { service, clock } = await startEngine(
      { init: () => Promise.reject(BROKEN), handleMessage: () => undefined },
      { failurePolicy: { attempts: 3 } },
    );
    const direct = watch(service.handleMessage('k', { payload: 'a' }));
    await clock.advance(299);
    expect(direct.state).toBe('pending');
    await clock.advance(1);
    expect(direct.value).toBeInstanceOf(AttemptsExhaustedError);
    expect((direct.value as AttemptsExhaustedError).cause).toBeInstanceOf(DataUpdaterStartError);
  });

  test('behind a published message whose init fails too: it rejects after as many, and the published one waits on', async () => {
    const { service, send, clock, of } = await startEngine(
      { init: () => Promise.reject(BROKEN), handleMessage: () => undefined },
      { failurePolicy: { attempts: 3 } },
    );
    await send('k', 'published');
    const direct = ['a', 'b'].map((payload) => watch(service.handleMessage('k', { payload })));
    await clock.advance(699);
    expect(direct.map(({ state }) => state)).toEqual(['pending', 'pending']);
    await clock.advance(1);
    for (const { value } of direct) {
      expect(value).toBeInstanceOf(AttemptsExhaustedError);
      expect(value).toMatchObject({ attempts: 3, cause: { code: 'data_updater_start' } });
    }
    expect(of('exhausted')).toHaveLength(2);
    expect([...service.liveKeys()]).toMatchObject([{ state: 'backoff', queued: 1 }]);
  });

  test('for a key whose shard lives elsewhere refuses with a typed error that points to the calls that reach it', async () => {
    const { broker } = memory({ totalCount: 1 });
    await startEngine(new RecordingHandler(), { memory: { broker } });
    const { service } = await startEngine(new RecordingHandler(), { memory: { broker } });
    const error = await service.handleMessage('k', { payload: 'a' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShardNotOwnedError);
    expect(String(error)).toMatch(/EventsProducer\.publish.*handleSignal/s);
  });

  test('that waits while its shard is lost rejects; one that runs still tells its outcome', async () => {
    const gates = new Gates();
    const { service, transport } = await startEngine(new RecordingHandler({ handleMessage: () => gates.at('a') }), {
      memory: { totalCount: 1 },
    });
    const running = watch(service.handleMessage('k', { payload: 'a' }));
    const waiting = watch(service.handleMessage('k', { payload: 'b' }));
    transport.broker.loseShard(0);
    await settled();
    expect(waiting.value).toBeInstanceOf(ShardNotOwnedError);
    gates.open('a');
    await settled();
    expect(running.value).toEqual(ack());
  });
});

describe('the time-out of a direct message', () => {
  /** An engine whose attempts wait at the gate of their payload. */
  async function startGated() {
    const gates = new Gates<unknown>();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) as Promise<undefined> });
    return { gates, handler, ...(await startEngine(handler)) };
  }

  test('there is none unless it is set', async () => {
    const { service, clock, gates } = await startGated();
    const direct = watch(service.handleMessage('k', { payload: 'a' }));
    await clock.advance(200_000);
    expect(direct.state).toBe('pending');
    gates.open('a', undefined);
    await settled();
    expect(direct.state).toBe('resolved');
  });

  test('what has not started by then never does, and those behind it go on', async () => {
    const { service, send, clock, gates, handler } = await startGated();
    await send('k', 'a');
    const direct = watch(service.handleMessage('k', { payload: 'b' }, { timeout: 500 }));
    const behind = watch(service.handleMessage('k', { payload: 'c' }, { timeout: 600 }));
    await clock.advance(499);
    expect(direct.state).toBe('pending');
    await clock.advance(1);
    expect(direct.value).toBeInstanceOf(MessageTimeoutError);
    expect(direct.value).toMatchObject({ code: 'message_timeout', stage: 'queued' });
    expect([...service.liveKeys()]).toMatchObject([{ queued: 2 }]);
    gates.open('a', undefined);
    await settled();
    gates.open('c', undefined);
    await settled();
    expect(behind.state).toBe('resolved');
    expect(handler.messages('k')).toEqual(['a', 'c']);
  });

  test('one that waits for a slot leaves nothing of its key behind', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { service, send, clock } = await startEngine(handler, { concurrency: 1 });
    await send('k', 'a');
    const direct = watch(service.handleMessage('l', { payload: 'b' }, { timeout: 500 }));
    await clock.advance(500);
    expect(direct.value).toMatchObject({ stage: 'queued' });
    expect([...service.liveKeys()].map(({ key }) => key)).toEqual(['k']);
    gates.open('a');
    await send('m', 'c');
    expect(gates.names).toEqual(['c']);
    expect(service.status().runningAttempts).toBe(1);
  });

  test('one that runs goes on and may take effect', async () => {
    const { service, send, clock, gates } = await startGated();
    const direct = watch(service.handleMessage('k', { payload: 'a' }, { timeout: 500 }));
    await clock.advance(500);
    expect(direct.value).toMatchObject({ stage: 'running' });
    expect([...service.liveKeys()]).toMatchObject([{ state: 'running', queued: 1 }]);
    await send('k', 'b');
    gates.open('a', ack(7));
    await settled();
    expect(gates.names).toEqual(['b']);
  });

  test('and is not tried again when it fails', async () => {
    const { service, clock, gates, handler, of } = await startGated();
    const direct = watch(service.handleMessage('k', { payload: 'a' }, { timeout: 500 }));
    await clock.advance(500);
    expect(direct.value).toMatchObject({ stage: 'running' });
    gates.fail('a', BROKEN);
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a']);
    expect(of('exhausted')).toMatchObject([{ attempt: 1, error: BROKEN }]);
    expect([...service.liveKeys()]).toEqual([]);
  });

  test('one that waits for its next attempt is not tried again', async () => {
    const { service, send, clock, gates, handler } = await startGated();
    const direct = watch(service.handleMessage('k', { payload: 'a' }, { timeout: 50 }));
    await send('k', 'b');
    gates.fail('a', BROKEN);
    await clock.advance(50);
    expect(direct.value).toMatchObject({ stage: 'retried' });
    expect(handler.messages('k')).toEqual(['a', 'b']);
    await clock.advance(1_000);
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test('that ends first leaves no timer behind', async () => {
    const { service, clock } = await startEngine({ handleMessage: (payload) => stop(String(payload)) });
    await service.handleMessage('k', { payload: 'a' }, { timeout: 500 });
    await service.park('k');
    await expect(service.handleMessage('k', { payload: 'b' }, { timeout: 500 })).rejects.toThrow('parked');
    expect(clock.pending).toBe(0);
  });

  test.each([-1, NaN, '5', null])('refuses what is no time: %p', async (timeout) => {
    const { service } = await startGated();
    const call = service.handleMessage('k', { payload: 'a' }, { timeout: timeout as number });
    await expect(call).rejects.toBeInstanceOf(InvalidMessageError);
  });
});

describe('awaiting one’s own key from inside its callback', () => {
  const calls: [string, (service: DataUpdaterService, key: string) => Promise<unknown>][] = [
    ['handleMessage', (service, key) => service.handleMessage(key, { payload: 'again' })],
    ['handleSignal', (service, key) => service.handleSignal(key, 'again')],
    ['getDataUpdater', (service, key) => service.getDataUpdater(key)],
  ];

  /** Runs every callback of the key `k` once, each of them making a call from deep inside. */
  async function callFromEverywhere(call: (service: DataUpdaterService) => Promise<unknown>) {
    const results: Record<string, unknown> = {};
    const deep = async (name: string, context: CallbackContext): Promise<void> => {
      if (context.key !== 'k' || name in results) return;
      results[name] = undefined;
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      results[name] = await call(engine.service).then(
        () => 'allowed',
        (error: unknown) => error,
      );
    };
    const handler = new RecordingHandler({
      init: (_, context) => deep('init', context),
      async handleMessage(payload, _, context) {
        await deep('handleMessage', context);
        return payload === 'a' ? ack(undefined, { continue: 1 }) : stop('done');
      },
      handleContinue: (_, __, context) => deep('handleContinue', context),
      handleSignal: (_, __, context) => deep('handleSignal', context),
      terminate: (_, __, context) => deep('terminate', context),
    });
    const engine = await startEngine(handler);
    await engine.service.handleMessage('k', { payload: 'a' });
    await engine.service.handleSignal('k', 's');
    await engine.service.handleMessage('k', { payload: 'b' });
    await engine.clock.advance(0);
    return results;
  }

  const CALLBACKS = ['init', 'handleMessage', 'handleContinue', 'handleSignal', 'terminate'];

  test.each(calls)('by %s is a typed error at any asynchronous depth of every callback', async (_, call) => {
    const results = await callFromEverywhere((service) => call(service, 'k'));
    expect(Object.keys(results).sort()).toEqual(CALLBACKS.toSorted());
    for (const name of CALLBACKS) expect(results[name]).toBeInstanceOf(OwnKeyError);
  });

  test.each(calls)('another key may be awaited by %s', async (_, call) => {
    const results = await callFromEverywhere((service) => call(service, 'l'));
    for (const name of CALLBACKS) expect(results[name]).toBe('allowed');
  });

  test('what a callback leaves running may call its key once the callback has ended', async () => {
    const gates = new Gates();
    let left: Promise<unknown> | undefined;
    const handler = new RecordingHandler({
      handleMessage: (payload) => {
        if (payload === 'a') left = gates.at('left').then(() => engine.service.handleMessage('k', { payload: 'b' }));
      },
    });
    const engine = await startEngine(handler);
    await engine.send('k', 'a');
    gates.open('left');
    expect(await left).toEqual(ack());
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test('the same key of another instance may be awaited', async () => {
    const other = await startEngine({ handleMessage: () => undefined, handleSignal: () => 'there' });
    const answers: unknown[] = [];
    const { send } = await startEngine({
      handleMessage: async () => void answers.push(await other.service.handleSignal('k', 's')),
    });
    await send('k', 'a');
    expect(answers).toEqual(['there']);
  });
});

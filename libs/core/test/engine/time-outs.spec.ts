import { ack, HandlerTimeoutError, InvalidOptionsError, reply, stop } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

const LIMIT = 300_000;
const GRACE = 1_000;

/** An engine whose handler waits at the gate `slow`, and notes its AbortSignals. */
async function startSlow(options: { concurrency?: number; handlerTimeout?: number; attempts?: number } = {}) {
  const { attempts = 5, ...own } = options;
  const gates = new Gates<unknown>();
  const signals: AbortSignal[] = [];
  const states: unknown[] = [];
  let made = 0;
  const handler = new RecordingHandler<number>({
    init: () => ++made,
    handleMessage(payload, state, context) {
      states.push(state);
      if (!payload.startsWith('slow')) return undefined;
      signals.push(context.abortSignal);
      return gates.at(payload) as Promise<undefined>;
    },
    handleSignal: () => gates.at('signal'),
  });
  const engine = await startEngine(handler, { ...own, failurePolicy: { attempts } });
  return { gates, handler, signals, states, ...engine };
}

describe('handlerTimeout', () => {
  test('is 5 minutes by default: then the AbortSignal of the attempt fires', async () => {
    const { send, clock, signals } = await startSlow();
    await send('k', 'slow');
    await clock.advance(LIMIT - 1);
    expect(signals[0]!.aborted).toBe(false);
    await clock.advance(1);
    expect(signals[0]!.aborted).toBe(true);
    expect(signals[0]!.reason).toBeInstanceOf(HandlerTimeoutError);
  });

  test('leaves one second of grace, in which the outcome still counts', async () => {
    const { send, clock, gates, handler, transport, of } = await startSlow();
    await send('k', 'slow', 'next');
    await clock.advance(LIMIT + GRACE - 1);
    expect(of('abandoned')).toEqual([]);
    gates.open('slow', ack(7));
    await clock.advance(10_000);
    expect(handler.of('k')).toEqual(['init', 'message slow', 'message next']);
    expect(transport.broker.length).toBe(0);
    expect(of('abandoned')).toEqual([]);
  });

  test('abandons the attempt after that: the attempt has failed and the message is retried', async () => {
    const { send, clock, handler, of } = await startSlow();
    await send('k', 'slow', 'next');
    await clock.advance(LIMIT + GRACE);
    expect(of('abandoned')).toMatchObject([{ attempt: 1, error: { code: 'handler_timeout' } }]);
    expect(of('retried')).toHaveLength(1);
    await clock.advance(100);
    expect(handler.messages('k')).toEqual(['slow', 'slow']);
  });

  test('of an abandoned attempt ignores outcome and state, and calls no terminate', async () => {
    const { send, clock, gates, handler, states, transport } = await startSlow();
    await send('k', 'slow', 'next');
    await clock.advance(LIMIT + GRACE);
    gates.open('slow', ack(99));
    await settled();
    expect(transport.broker.length).toBe(2);
    await clock.advance(100);
    gates.open('slow', undefined);
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message slow', 'init', 'message slow', 'message next']);
    expect(states).toEqual([1, 2, 2]);
  });

  test('of an abandoned attempt ignores a late failure too', async () => {
    const { send, clock, gates, of } = await startSlow();
    await send('k', 'slow');
    await clock.advance(LIMIT + GRACE);
    gates.fail('slow', new Error('much too late'));
    await clock.advance(1);
    expect(of('retried')).toHaveLength(1);
  });

  test('frees the slot of an abandoned attempt', async () => {
    const { send, clock, handler } = await startSlow({ concurrency: 1 });
    await send('k', 'slow');
    await send('l', 'other');
    await clock.advance(LIMIT + GRACE - 1);
    expect(handler.messages('l')).toEqual([]);
    await clock.advance(1);
    expect(handler.messages('l')).toEqual(['other']);
  });

  test('only an abandoned attempt may overlap its successor', async () => {
    const { send, clock, gates } = await startSlow();
    await send('k', 'slow');
    await clock.advance(LIMIT + GRACE + 100);
    expect(gates.names).toEqual(['slow', 'slow']);
  });

  test('counts as attempts: a message that is always too slow is exhausted', async () => {
    const { send, clock, handler, transport } = await startSlow({ handlerTimeout: 1_000, attempts: 2 });
    await send('k', 'slow', 'next');
    await clock.advance(10_000);
    expect(handler.messages('k')).toEqual(['slow', 'slow', 'next']);
    expect(transport.broker.deadLetters).toHaveLength(1);
  });

  test('runs for each callback anew and leaves the quick ones alone', async () => {
    const { send, clock, signals, gates } = await startSlow({ handlerTimeout: 1_000 });
    await send('k', 'quick', 'slow1');
    await clock.advance(600);
    await send('l', 'slow2');
    await clock.advance(400);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    gates.open('slow1', undefined);
    await clock.advance(600);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test('may be switched off', async () => {
    const { send, clock, signals } = await startSlow({ handlerTimeout: Infinity });
    await send('k', 'slow');
    await clock.advance(10 * 3_600_000);
    expect(signals[0]!.aborted).toBe(false);
  });

  test('must be at most a third of the delivery time-out of the broker, or the app does not start', async () => {
    const handler = new RecordingHandler();
    const refused = new ScriptedTransport({ deliveryTimeout: 3 * LIMIT - 1 });
    await expect(startEngine(handler, { transport: refused })).rejects.toBeInstanceOf(InvalidOptionsError);
    expect(refused.closed).toBe(true);
    const accepted = new ScriptedTransport({ deliveryTimeout: 3 * LIMIT });
    await startEngine(handler, { transport: accepted });
    expect(accepted.closed).toBe(false);
    const produced = new ScriptedTransport({ deliveryTimeout: 1 });
    await startEngine(handler, { transport: produced, producerOnly: true });
    expect(produced.closed).toBe(false);
  });
});

describe('other callbacks that run over it', () => {
  test('init fails, with a backoff and without an attempt', async () => {
    const gates = new Gates();
    const attempts: number[] = [];
    const handler = new RecordingHandler({
      init: () => gates.at('init'),
      handleMessage: (_, __, { attempt }) => void attempts.push(attempt),
    });
    const { send, clock, service } = await startEngine(handler);
    await send('k', 'a');
    await clock.advance(LIMIT + GRACE);
    expect(service.status().failingInits).toBe(1);
    await clock.advance(100);
    gates.open('init');
    gates.open('init');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'init', 'message a']);
    expect(attempts).toEqual([1]);
  });

  test('handleSignal rejects its caller; the data updater ends without terminate', async () => {
    const { service, send, clock, handler, gates, states } = await startSlow();
    const answer = watch(service.handleSignal('k', 's', { timeout: Infinity }));
    await clock.advance(LIMIT + GRACE);
    expect(answer.value).toBeInstanceOf(HandlerTimeoutError);
    gates.open('signal', reply(1, 99));
    await send('k', 'a');
    expect(handler.of('k')).toEqual(['init', 'signal s', 'init', 'message a']);
    expect(states).toEqual([2]);
  });

  test('handleContinue ends the data updater without terminate; its message stays settled', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'a' ? ack(undefined, { continue: 'x' }) : undefined),
      handleContinue: () => new Promise<never>(() => undefined),
    });
    const { send, clock, transport } = await startEngine(handler);
    await send('k', 'a', 'b');
    await clock.advance(LIMIT + GRACE);
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue x', 'init', 'message b']);
    expect(transport.broker.length).toBe(0);
  });

  test('terminate is abandoned, and the key goes on', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'a' ? stop('done') : undefined),
      terminate: () => new Promise<never>(() => undefined),
    });
    const { send, clock, logs } = await startEngine(handler);
    await send('k', 'a', 'b');
    await clock.advance(LIMIT + GRACE);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate done', 'init', 'message b']);
    expect(logs.join()).toContain('did not end within 300000 ms');
  });
});

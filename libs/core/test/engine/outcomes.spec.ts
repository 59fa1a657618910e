import { ack, discard, NOTE_HEADERS, ok, stop } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** Handles the first message with an outcome and notes the state that each callback gets. */
async function handleFirst(outcome: unknown, next: { afterContinue?: unknown } = {}) {
  const states: unknown[] = [];
  const handler = new RecordingHandler<unknown>({
    init: () => 'initial',
    handleMessage(payload, state) {
      states.push(state);
      return (payload === 'a' ? outcome : undefined) as undefined;
    },
    handleContinue(_, state) {
      states.push(state);
      return next.afterContinue as undefined;
    },
    terminate: (_, state) => void states.push(state),
  });
  const engine = await startEngine(handler);
  await engine.send('k', 'a', 'b');
  return { ...engine, handler, states, broker: engine.transport.broker };
}

describe('ack', () => {
  test('[M8] [M17] the message is acked when the handler is content', async () => {
    const { broker, of, handler } = await handleFirst(ack());
    expect(broker.length).toBe(0);
    expect(broker.deadLetters).toEqual([]);
    expect(of('handled')).toHaveLength(2);
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test.each([
    ['returning nothing', undefined],
    ['ack() without a state', ack()],
  ])('%s acks and keeps the state', async (_, outcome) => {
    const { broker, states } = await handleFirst(outcome);
    expect(broker.length).toBe(0);
    expect(states).toEqual(['initial', 'initial']);
  });

  test('ack(state) changes the state', async () => {
    const { states } = await handleFirst(ack('changed'));
    expect(states).toEqual(['initial', 'changed']);
  });

  test('ack(state) may come later', async () => {
    const { states, broker } = await handleFirst(Promise.resolve(ack('changed')));
    expect(states).toEqual(['initial', 'changed']);
    expect(broker.length).toBe(0);
  });

  test('ack(state, continue) runs handleContinue(arg) with the new state, before the next message', async () => {
    const { handler, states } = await handleFirst(ack('changed', { continue: 'x' }));
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue x', 'message b']);
    expect(states).toEqual(['initial', 'changed', 'changed']);
  });

  test('handleContinue runs before the next signal too, and the message is settled first', async () => {
    const gates = new Gates();
    const unsettled: number[] = [];
    const handler = new RecordingHandler({
      handleMessage: () => gates.at('a').then(() => ack(undefined, { continue: 'x' })),
      handleContinue: () => void unsettled.push(transport.broker.length),
    });
    const { send, service, transport } = await startEngine(handler);
    await send('k', 'a');
    const answer = service.handleSignal('k', 's');
    gates.open('a');
    await answer;
    expect(unsettled).toEqual([0]);
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue x', 'signal s']);
  });

  test('a continuation counts by being present: { continue: undefined } continues', async () => {
    const { handler } = await handleFirst(ack(undefined, { continue: undefined }));
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue undefined', 'message b']);
  });

  test('handleContinue changes the state with ok(state)', async () => {
    const { states } = await handleFirst(ack('one', { continue: 'x' }), { afterContinue: ok('two') });
    expect(states).toEqual(['initial', 'one', 'two']);
  });

  test('handleContinue that returns anything else ends the data updater; the error names what came back', async () => {
    const { handler, logs, broker } = await handleFirst(ack(undefined, { continue: 'x' }), { afterContinue: 'done' });
    expect(handler.of('k')).toEqual([
      'init',
      'message a',
      'continue x',
      expect.stringContaining('terminate handleContinue returned done'),
      'init',
      'message b',
    ]);
    expect(logs.join()).toContain('handleContinue returned done');
    expect(broker.length).toBe(0);
  });

  test('a continuation without a handleContinue ends the data updater; the log says what is missing', async () => {
    const ended: unknown[] = [];
    const { send, logs, transport } = await startEngine({
      handleMessage: () => ack(undefined, { continue: 1 }),
      terminate: (reason) => void ended.push(reason),
    });
    await send('k', 'a');
    expect(ended).toHaveLength(1);
    expect(logs.join()).toContain('the handler has no handleContinue');
    expect(transport.broker.length).toBe(0);
  });
});

describe('discard', () => {
  test('[M9] the message is refused when the handler discards: dead-lettered with the reason, then acked', async () => {
    const { broker, handler, of } = await handleFirst(discard('too old'));
    expect(broker.deadLetters.map(({ headers }) => headers)).toEqual([
      expect.objectContaining({ [NOTE_HEADERS.reason]: 'discarded', [NOTE_HEADERS.error]: 'too old' }),
    ]);
    expect(broker.length).toBe(0);
    expect(of('discarded')).toMatchObject([{ reason: 'too old', attempt: 1 }]);
    expect(handler.of('k')).toEqual(['init', 'message a', 'message b']);
  });

  test('discard(reason, state) changes the state, without it the state is kept', async () => {
    expect((await handleFirst(discard('no', 'changed'))).states).toEqual(['initial', 'changed']);
    expect((await handleFirst(discard('no'))).states).toEqual(['initial', 'initial']);
  });

  test('discard is final: it is not retried', async () => {
    const { handler, clock } = await handleFirst(discard('no'));
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test('discard, continue runs handleContinue once the dead letter is confirmed, before the next message', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'a' ? discard('no', undefined, { continue: 'x' }) : undefined),
    });
    const { send, transport } = await startEngine(handler);
    await send('k', 'a', 'b');
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue x', 'message b']);
    const again = send('k', 'a');
    transport.broker.block();
    await again;
    expect(handler.of('k').slice(4)).toEqual(['message a']);
    transport.broker.unblock();
    await settled();
    expect(handler.of('k').slice(4)).toEqual(['message a', 'continue x']);
  });
});

describe('stop', () => {
  test('[M10] [M19] stop acks, terminates and ends the data updater and its tracker', async () => {
    const handler = new RecordingHandler({ handleMessage: () => stop('done') });
    const { send, service, transport } = await startEngine(handler);
    await send('k', 'a');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate done']);
    expect(transport.broker.length).toBe(0);
    expect(transport.broker.deadLetters).toEqual([]);
    expect([...service.liveKeys()]).toEqual([]);
  });

  test('stop(reason) leaves the next message to a fresh data updater', async () => {
    const { handler, states } = await handleFirst(stop('done', { state: 'last' }));
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate done', 'init', 'message b']);
    expect(states).toEqual(['initial', 'last', 'initial']);
  });

  test('stop(reason) with settle: discard dead-letters the message before terminate', async () => {
    const handler = new RecordingHandler({ handleMessage: () => stop('broken sensor', { settle: 'discard' }) });
    const { send, transport } = await startEngine(handler);
    const sent = send('k', 'a');
    transport.broker.block();
    await sent;
    expect(handler.of('k')).toEqual(['init', 'message a']);
    transport.broker.unblock();
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate broken sensor']);
    expect(transport.broker.deadLetters).toMatchObject([{ headers: { [NOTE_HEADERS.error]: 'broken sensor' } }]);
    expect(transport.broker.length).toBe(0);
  });

  test("refuses what is no object of options, which the former stop(reason, 'discard') would be", () => {
    expect(() => stop('done', 'discard' as never)).toThrow(TypeError);
  });

  test('the message is settled before terminate runs', async () => {
    const unsettled: number[] = [];
    const { send, transport } = await startEngine({
      handleMessage: () => stop('done'),
      terminate: () => void unsettled.push(transport.broker.length),
    });
    await send('k', 'a');
    expect(unsettled).toEqual([0]);
  });
});

describe('anything else', () => {
  test.each([
    ['a string', 'done', 'done'],
    ['a boolean', true, 'true'],
    ['null', null, 'null'],
    ['an object that looks like an outcome', { state: 1 }, '{ state: 1 }'],
    ['the answer of another callback', ok(1), 'Ok { state: 1 }'],
  ])('%s that is returned is a failed attempt whose error names what came back', async (_, value, named) => {
    const { of, handler } = await handleFirst(value);
    expect(of('retried')).toHaveLength(1);
    expect(String(of('retried')[0]!.error)).toContain(`InvalidOutcomeError: handleMessage returned ${named}, which`);
    expect(handler.messages('k')).toEqual(['a']);
  });
});

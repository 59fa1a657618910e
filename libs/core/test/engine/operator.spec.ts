import { NOTE_HEADERS, type MemoryDeadLetter, type MississippiOperator } from '../../src/index.js';
import { SignalDecodeError } from '../../src/errors/index.js';
import { settled } from '../support/fake-clock.js';
import { limitDeadLetters } from '../support/limit-dead-letters.js';
import { startOperated } from '../support/operated.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';

const payloads = (letters: readonly MemoryDeadLetter[]): unknown[] =>
  letters.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as unknown);

const HELD = { failurePolicy: { attempts: 1, onExhausted: 'park' } } as const;
const PATIENT = { failurePolicy: { attempts: Infinity } } as const;
const WHERE = ['here', 'elsewhere'] as const;

describe.each(WHERE)('an operator %s', (where) => {
  test('is told which key is stuck and why', async () => {
    const { send, clock, operator } = await startOperated(where, PATIENT);
    await send('k', 'a', 'bad', 'b');
    await send('l', 'a');
    await clock.advance(250);
    const { keys, more, unanswered } = await operator.keys({ troubled: true });
    expect([more, unanswered]).toEqual([0, []]);
    expect(keys).toMatchObject([
      {
        key: 'k',
        text: '"k"',
        shard: 0,
        state: 'backoff',
        trouble: 'failing',
        queued: 2,
        parked: 0,
        attempt: 2,
        error: 'Error: broken',
        waiting: 250,
      },
    ]);
    if (where === 'elsewhere') expect(keys[0]!.process).toBe('owner');
    expect((await operator.keys()).keys.map(({ key }) => key)).toEqual(['k', 'l']);
    expect((await operator.key('k'))?.trouble).toBe('failing');
    expect(await operator.key('nobody')).toBeUndefined();
  });

  test('cuts the wait for the next attempt short', async () => {
    const { send, operator, handler, failing } = await startOperated(where, PATIENT);
    await send('k', 'bad', 'b');
    failing.clear();
    await operator.retry('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'b']);
  });

  test('cuts it short for a key that is parked under pressure', async () => {
    const { send, operator, handler, failing, broker } = await startOperated(where, PATIENT);
    await send('k', 'bad', '1', '2', '3', '4');
    expect(broker.parkedCount(0)).toBe(5);
    expect((await operator.key('k'))?.trouble).toBe('pressure');
    failing.clear();
    await operator.retry('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', '1', '2', '3', '4']);
  });

  test('tries the head of a held key, which is held again behind it', async () => {
    const { send, operator, handler, failing, broker } = await startOperated(where, HELD);
    await send('k', 'bad', 'b', 'c');
    failing.clear();
    await operator.retry('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect(await operator.key('k')).toMatchObject({ trouble: 'parked', parkedState: 'held', parked: 2 });
    await send('k', 'd');
    expect(broker.parkedCount(0)).toBe(3);
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'b', 'c', 'd']);
  });

  test('tries the head of a held key, which fails again and is held as before', async () => {
    const { send, operator, handler, broker } = await startOperated(where, {
      failurePolicy: { attempts: 3, onExhausted: 'park' },
    });
    await send('k', 'bad', 'b');
    await operator.pause('k');
    await settled();
    expect(broker.parkedCount(0)).toBe(2);
    await operator.retry('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parked: 2, error: 'Error: broken' });
    expect(broker.parkedCount(0)).toBe(2);
  });

  test('resumes a key while its head is tried: the rest follows', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, operator } = await startOperated(where, { handler });
    await operator.pause('k');
    await send('k', 'a', 'b');
    await operator.retry('k');
    await settled();
    expect(handler.messages('k')).toEqual(['a']);
    await operator.resume('k');
    gates.open('attempt');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test('drops the head of a key in backoff, and the next message follows at once', async () => {
    const { send, operator, handler, broker } = await startOperated(where, PATIENT);
    await send('k', 'bad', 'b');
    await operator.drop('k');
    await settled();
    expect(payloads(broker.deadLetters)).toEqual(['bad']);
    expect(broker.deadLetters[0]!.headers).toMatchObject({
      [NOTE_HEADERS.reason]: 'dropped',
      [NOTE_HEADERS.error]: 'Error: broken',
      [NOTE_HEADERS.attempts]: 1,
    });
    expect(handler.messages('k')).toEqual(['bad', 'b']);
    expect(broker.length).toBe(0);
  });

  test('drops the head of a key under pressure, and what follows is handled in order', async () => {
    const { send, operator, handler, broker } = await startOperated(where, PATIENT);
    await send('k', 'bad', '1', '2', '3', '4');
    await operator.drop('k');
    await settled();
    expect(payloads(broker.deadLetters)).toEqual(['bad']);
    expect(handler.messages('k')).toEqual(['bad', '1', '2', '3', '4']);
    expect(broker.parkedCount(0)).toBe(0);
    expect(await operator.key('k')).toMatchObject({ trouble: undefined, parkedState: undefined });
  });

  test('drops the last message for which a key waits, and what comes next has all its attempts, at once', async () => {
    const policy = { attempts: 2, backoff: { initial: 60_000, max: 60_000 } };
    const { send, publish, operator, handler, broker, failing, engine, clock } = await startOperated(where, {
      failurePolicy: policy,
    });
    for (const payload of ['1', '2', '3', '4', 'next']) failing.add(payload);
    await send('k', 'bad', '1', '2', '3', '4');
    for (let left = 4; left > 0; left--) {
      await operator.drop('k');
      await settled();
    }
    engine.events.subscribe(({ type }) => {
      if (type === 'unparked') void publish('k', 'next');
    });
    await operator.drop('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', '1', '2', '3', '4', 'next']);
    expect(payloads(broker.deadLetters)).toEqual(['bad', '1', '2', '3', '4']);
    expect(await operator.key('k')).toMatchObject({ state: 'backoff', attempt: 1 });
    await clock.advance(60_000);
    expect(handler.messages('k').filter((payload) => payload === 'next')).toHaveLength(2);
    expect(payloads(broker.deadLetters)).toHaveLength(6);
  });

  test('resumes a key while its last message is dropped: paused again in that moment, it is held', async () => {
    const { send, operator, handler, broker, engine, of } = await startOperated(where, HELD);
    await send('k', 'bad');
    broker.block();
    const dropping = operator.drop('k');
    await settled();
    await operator.resume('k');
    engine.events.subscribe(({ type }) => {
      if (type === 'unparked') queueMicrotask(() => void operator.pause('k'));
    });
    broker.unblock();
    await dropping;
    await send('k', 'a', 'b');
    expect(of('unparked')).toHaveLength(1);
    expect(handler.messages('k')).toEqual(['bad']);
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parked: 2 });
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'a', 'b']);
  });

  test('drops the first message of a held key, which stays held', async () => {
    const { send, operator, handler, broker } = await startOperated(where, HELD);
    await send('k', 'bad', 'b');
    expect(await operator.drop('k')).toMatchObject({ parkedState: 'held', parked: 1 });
    expect(payloads(broker.deadLetters)).toEqual(['bad']);
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'b']);
  });

  test('names the message that is to be dropped, and no other is', async () => {
    const { publish, operator, broker } = await startOperated(where, PATIENT);
    await publish('k', 'bad', { messageId: 'one' });
    await publish('l', 'bad', { messageId: 'two' });
    await settled();
    await operator.pause('l');
    await settled();
    await expect(operator.drop('k', { messageId: 'other' })).rejects.toMatchObject({
      code: 'head_changed',
      found: 'one',
    });
    await expect(operator.drop('l', { messageId: 'other' })).rejects.toMatchObject({
      code: 'head_changed',
      found: 'two',
    });
    expect(broker.deadLetters).toEqual([]);
    await operator.drop('k', { messageId: 'one' });
    await operator.drop('l', { messageId: 'two' });
    expect(payloads(broker.deadLetters)).toEqual(['bad', 'bad']);
  });

  test('is refused where the head runs, is on its way to the dead letters, or is none', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, operator, broker, service } = await startOperated(where, {
      handler,
      failurePolicy: { attempts: 1 },
    });
    const refused = (call: Promise<unknown>, state: string) =>
      expect(call).rejects.toMatchObject({ name: 'HeadNotWaitingError', state });
    await send('k', 'a');
    await refused(operator.drop('k'), 'running');
    await refused(operator.retry('k'), 'running');
    limitDeadLetters(broker, 0);
    gates.fail('attempt', new Error('broken'));
    await settled();
    await refused(operator.drop('k'), 'settling');
    await refused(operator.drop('nobody'), 'none');
    await refused(operator.retry('nobody'), 'none');
    await expect(operator.resume('nobody')).rejects.toMatchObject({ code: 'key_not_parked' });
    expect([...service.liveKeys()].map(({ key }) => key)).toEqual(['k']);
  });

  test('has a dead letter tried again at once that was refused', async () => {
    const { send, operator, broker } = await startOperated(where, { failurePolicy: { attempts: 1 } });
    const full = limitDeadLetters(broker, 0);
    await send('k', 'bad');
    expect((await operator.key('k'))?.trouble).toBe('deadLetterRefused');
    full();
    await operator.retry('k');
    await settled();
    expect(payloads(broker.deadLetters)).toEqual(['bad']);
    expect(broker.length).toBe(0);
  });

  test('drops all that is parked of a key, in order and in parts, and what comes meanwhile stays', async () => {
    const { send, operator, broker, handler } = await startOperated(where);
    await operator.pause('k');
    const sent = Array.from({ length: 250 }, (_, index) => `m${index}`);
    await send('k', ...sent);
    const parts: object[] = [];
    const dropping = operator.dropAll('k', { progress: (part) => parts.push(part) });
    await settled();
    await expect(dropping).resolves.toBe(250);
    expect(parts).toEqual([
      { dropped: 100, left: 150 },
      { dropped: 200, left: 50 },
      { dropped: 250, left: 0 },
    ]);
    expect(payloads(broker.deadLetters)).toEqual(sent);
    await send('k', 'later');
    expect(handler.messages('k')).toEqual([]);
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['later']);
    await expect(operator.dropAll('k')).rejects.toMatchObject({ code: 'key_not_parked' });
  });

  test('is told how much was dropped of a key that is resumed meanwhile, and what was not is handled in order', async () => {
    const gates = new Gates();
    const slow = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, operator, broker, handler, engine, of } = await startOperated(where, { handler: slow });
    await operator.pause('k');
    await send('k', '1', '2', '3', '4', '5');
    const parts: object[] = [];
    engine.events.subscribe(({ type }) => {
      if (type === 'deadLettered' && of('deadLettered').length === 2) void operator.resume('k');
    });
    const dropping = watch(operator.dropAll('k', { progress: (part) => parts.push(part) }));
    await settled();
    expect(dropping).toMatchObject({ state: 'rejected', value: { code: 'key_not_parked' } });
    const dropped = broker.deadLetters.length;
    expect(dropped).toBeLessThan(5);
    expect(parts).toEqual([{ dropped, left: 5 - dropped }]);
    for (let left = 5 - dropped; left > 0; left--) {
      gates.open('attempt');
      await settled();
    }
    expect([...payloads(broker.deadLetters), ...handler.messages('k')]).toEqual(['1', '2', '3', '4', '5']);
  });

  test('deactivates a data updater in its turn, and the next message has a fresh one', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, operator } = await startOperated(where, { handler });
    await send('k', 'a', 'b');
    const deactivated = watch(operator.deactivate('k'));
    await settled();
    expect(deactivated.state).toBe('pending');
    gates.open('attempt');
    await settled();
    expect(deactivated.state).toBe('resolved');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate operator', 'init', 'message b']);
    await operator.deactivate('nobody');
    expect(handler.of('nobody')).toEqual([]);
  });

  test('sees a callback that hangs, and for how long', async () => {
    const handler = new RecordingHandler({ handleMessage: () => new Promise<never>(() => undefined) });
    const { send, clock, operator } = await startOperated(where, { handler, hangingInterval: 10_000 });
    await send('k', 'a');
    await clock.advance(9_999);
    expect((await operator.key('k'))?.trouble).toBeUndefined();
    await clock.advance(1);
    expect(await operator.key('k')).toMatchObject({
      trouble: 'hanging',
      state: 'running',
      callback: { name: 'handleMessage', age: 10_000 },
    });
  });

  test('sees the shards: who owns them, what waits, what is under way and how fast it is', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, clock, operator } = await startOperated(where, { handler });
    await send('k', ...Array.from({ length: 15 }, (_, index) => `m${index}`));
    const looking = operator.shards({ over: 2_000 });
    await settled();
    await clock.advance(400);
    for (let turns = 0; turns < 4; turns++) {
      gates.open('attempt');
      await settled();
    }
    await clock.advance(1_600);
    const [shard] = await looking;
    expect(shard).toMatchObject({
      shard: 0,
      owned: { epoch: 1, keys: 1, inFlight: 10, parked: 0, stalled: false, rate: 2 },
    });
    const [later] = await withTime(operator.shards(), clock);
    expect(later).toMatchObject({ backlog: 1, owned: { rate: 0 } });
    if (where === 'elsewhere') expect(later!.process).toBe('owner');
  });

  test('sees how long messages took, which keys are busy, and what keeps keys from going on', async () => {
    const { send, clock, operator } = await startOperated(where, PATIENT);
    await send('stuck', 'bad', 'a');
    await clock.advance(100);
    const looking = operator.shards({ over: 1_000 });
    await settled();
    await send('busy', 'a', 'b', 'c');
    await send('other', 'a');
    await clock.advance(1_000);
    const [shard] = await looking;
    const { times, ...owned } = shard!.owned!;
    expect(owned).toMatchObject({ troubles: { failing: 1 }, oldest: 1_100 });
    expect(owned.busiest).toEqual([
      { key: 'busy', text: '"busy"', finished: 3 },
      { key: 'other', text: '"other"', finished: 1 },
    ]);
    expect(times).toEqual([[0.25, 4]]);
    const [later] = await withTime(operator.shards(), clock);
    expect(later!.owned).toMatchObject({ times: [], busiest: [] });
  });

  test('sees what happens to a key while he watches it, and where its error was thrown', async () => {
    const { send, clock, operator } = await startOperated(where, {
      failurePolicy: { attempts: Infinity, backoff: () => 86.051_302 },
    });
    await send('k', 'a');
    expect(await operator.watch('k')).toMatchObject({ report: { state: 'idle' }, stack: undefined, events: [] });
    await send('l', 'bad');
    await send('k', 'bad');
    const { report, stack, events } = await operator.watch('k');
    expect(report).toMatchObject({ key: 'k', trouble: 'failing' });
    expect(stack).toMatch(/^Error: broken\n +at .*operated\.ts/);
    expect(events).toMatchObject([
      { number: 1, type: 'attemptStarted', attempt: 1 },
      { number: 2, type: 'retried', attempt: 1, text: 'in 86 ms: Error: broken' },
      { number: 3, type: 'deactivated', text: 'Error: broken' },
    ]);
    expect(events[0]!.at).toBe(clock.time());
    expect(await operator.watch('nobody')).toMatchObject({ report: undefined, events: [] });
  });

  test('has the events of a key noted for ten seconds after he asked, and no longer', async () => {
    const { send, clock, operator } = await startOperated(where, {});
    await operator.watch('k');
    await clock.advance(9_999);
    await send('k', 'a');
    expect((await operator.watch('k')).events.map(({ type }) => type)).toContain('handled');
    await clock.advance(10_000);
    await send('k', 'a');
    expect((await operator.watch('k')).events).toEqual([]);
  });

  test('has a time told to a fifth', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, clock, operator } = await startOperated(where, { handler });
    await send('k', 'a');
    const looking = operator.shards({ over: 1_000 });
    await clock.advance(700);
    gates.open('attempt');
    await clock.advance(300);
    const [[atMost, count]] = (await looking)[0]!.owned!.times as [[number, number]];
    expect(count).toBe(1);
    expect(atMost).toBeGreaterThanOrEqual(700);
    expect(atMost).toBeLessThan(700 * 1.2);
  });
});

describe('a shard that is lost in the midst of', () => {
  test('a retry of a held key has it held by the next owner, and nothing is lost', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, operator, broker, logs } = await startOperated('here', { handler });
    await operator.pause('k');
    await send('k', 'a', 'b');
    await operator.retry('k');
    await settled();
    broker.loseShard(0);
    await settled();
    gates.open('attempt');
    await settled();
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parked: 2 });
    expect(logs.filter((line) => line.includes('was being resumed'))).toEqual([]);
    await operator.resume('k');
    for (let rounds = 0; rounds < 2; rounds++) {
      await settled();
      if (gates.names.length > 0) gates.open('attempt');
    }
    await settled();
    expect(new Set(handler.messages('k'))).toEqual(new Set(['a', 'b']));
    expect(broker.parkedCount(0)).toBe(0);
  });

  test('a drop leaves the message with the key, and whoever dropped it is not told that it is gone', async () => {
    const { send, operator, broker, clock, handler, failing } = await startOperated('here', PATIENT);
    await send('k', 'bad', 'b');
    broker.block(); // The dead letter waits.
    const drop = watch(operator.drop('k'));
    await settled();
    broker.loseShard(0);
    broker.unblock();
    failing.clear();
    await clock.advance(10_000);
    expect(drop).toMatchObject({ state: 'rejected', value: { code: 'operator_timeout', started: true } });
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'b']);
  });

  test('a pause holds what was moved, and what follows it', async () => {
    const { send, operator, broker, handler } = await startOperated('here');
    await operator.pause('k');
    await send('k', 'a');
    broker.loseShard(0);
    await settled();
    await send('k', 'b');
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parked: 2 });
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });
});

describe('an operator of another process', () => {
  test('may look and not act where the owner says so', async () => {
    const { send, operator, broker } = await startOperated('elsewhere', { ...HELD, remoteOperator: false });
    await send('k', 'bad');
    expect((await operator.key('k'))?.trouble).toBe('parked');
    const acts = (call: keyof MississippiOperator) => (operator[call] as (key: string) => Promise<unknown>)('k');
    for (const call of ['pause', 'resume', 'retry', 'drop', 'dropAll', 'deactivate'] as const) {
      await expect(acts(call)).rejects.toMatchObject({ code: 'remote_operator_disabled' });
    }
    expect(broker.parkedCount(0)).toBe(1);
  });

  test('is told when the owner is of an earlier version', async () => {
    const { operator, engine, send } = await startOperated('elsewhere');
    await send('k', 'a');
    const shard = engine.shards.owned(0)!;
    shard.signal = () => Promise.reject(new SignalDecodeError('signal', '18 bytes of the kind 4, which is unknown'));
    await expect(operator.retry('k')).rejects.toMatchObject({ code: 'operator_not_understood' });
    expect((await operator.keys()).unanswered).toMatchObject([{ shard: 0, reason: /earlier version/ }]);
  });
});

test('an operator in the process itself acts whatever the owner says of others', async () => {
  const { send, operator, handler, failing } = await startOperated('here', { ...HELD, remoteOperator: false });
  await send('k', 'bad', 'b');
  failing.clear();
  await operator.resume('k');
  await settled();
  expect(handler.messages('k')).toEqual(['bad', 'bad', 'b']);
});

test('an operator waits so long and no longer, and is told whether it goes on', async () => {
  const handler = new RecordingHandler({ handleMessage: () => new Promise<never>(() => undefined) });
  const { send, clock, operator } = await startOperated('here', { handler });
  await send('k', 'a');
  const call = watch(operator.deactivate('k', { timeout: 1_000 }));
  await clock.advance(999);
  expect(call.state).toBe('pending');
  await clock.advance(1);
  expect(call).toMatchObject({ state: 'rejected', value: { code: 'operator_timeout', started: true } });
});

test('what an operator did is in the log', async () => {
  const { send, operator, logs } = await startOperated('here', HELD);
  await send('k', 'bad');
  await operator.drop('k');
  expect(logs.at(-1)).toBe('An operator called drop for the key "k" (shard 0).');
});

/** What waits for time to pass. */
async function withTime<T>(promise: Promise<T>, clock: { advance(milliseconds: number): Promise<void> }): Promise<T> {
  await settled();
  await clock.advance(1_000);
  return promise;
}

import { IsInt } from 'class-validator';
import {
  AttemptsExhaustedError,
  discard,
  HandlerTimeoutError,
  NOTE_HEADERS,
  PayloadInvalidError,
  type Failure,
  type FailurePolicyOptions,
  type MessageHeaders,
  type MississippiOptions,
} from '../../src/index.js';
import type { Delivery, ParkedMode } from '../../src/transport/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { limitDeadLetters } from '../support/limit-dead-letters.js';
import { startEngine } from '../support/test-engine.js';

class Busy extends Error {
  constructor(readonly retryAfter: number) {
    super('busy');
  }
}

const BROKEN = new Error('broken');

/** An engine whose handler throws at each message that is called `bad`. */
async function startFailing(
  failurePolicy: FailurePolicyOptions,
  { error = BROKEN, ...options }: Omit<MississippiOptions, 'transport'> & { error?: Error } = {},
) {
  const handler = new RecordingHandler({
    handleMessage(payload) {
      if (payload === 'bad') throw error;
      return payload === 'no' ? discard('refused') : undefined;
    },
  });
  const engine = await startEngine(handler, { memory: { totalCount: 1 }, failurePolicy, ...options });
  return { handler, broker: engine.transport.broker, ...engine };
}

const NONSENSE: [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('policy');
    },
  ],
  ['returns no number', () => 'soon'],
  ['returns null', () => null],
  ['returns NaN', () => NaN],
  ['returns Infinity', () => Infinity],
  ['returns a negative number', () => -1],
  ['returns a promise', () => Promise.resolve(1)],
  ['returns a promise that rejects', () => Promise.reject(BROKEN)],
  [
    'returns what throws when it is looked at',
    () => ({
      get then() {
        throw BROKEN;
      },
    }),
  ],
];

describe('a function for the backoff', () => {
  test('says how long to wait, and sees what failed', async () => {
    const seen: Failure[] = [];
    const { publish, clock, of } = await startFailing(
      {
        backoff(failure) {
          seen.push(failure);
          return failure.error instanceof Busy ? failure.error.retryAfter : 1;
        },
      },
      { error: new Busy(7_000) },
    );
    await publish('k', 'bad', { messageId: 'm1', timestamp: 5, headers: { a: 1 } });
    await clock.advance(10_000);
    expect(of('retried').map(({ delay }) => delay)).toEqual([7_000, 7_000]);
    expect(seen).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    expect(seen[0]).toMatchObject({
      error: { message: 'busy' },
      callback: 'handleMessage',
      instance: 'default',
      key: 'k',
      shard: 0,
      epoch: 1,
      messageId: 'm1',
      timestamp: 5,
      headers: { a: 1 },
      redelivered: false,
      direct: false,
    });
  });

  test('leaves it to the ordinary backoff where it says nothing', async () => {
    const { send, clock, of } = await startFailing({ backoff: ({ attempt }) => (attempt === 2 ? 5 : undefined) });
    await send('k', 'bad');
    await clock.advance(10_000);
    expect(of('retried').map(({ delay }) => delay)).toEqual([100, 5, 400, 800]);
  });

  test.each(NONSENSE)('that %s has said nothing: the error is logged, and the key goes on', async (_, nonsense) => {
    const { send, clock, of, handler, logs } = await startFailing({ backoff: nonsense as () => number });
    await send('k', 'bad', 'next');
    await clock.advance(10_000);
    expect(of('retried').map(({ delay }) => delay)).toEqual([100, 200, 400, 800]);
    expect(handler.messages('k').at(-1)).toBe('next');
    expect(
      logs.filter((line) => /^failurePolicy\.backoff (threw|returned .*), so the ordinary policy applies/.test(line)),
    ).toHaveLength(1);
  });

  test('cannot make a key wait for more than a day', async () => {
    const { send, of, clock } = await startFailing({ backoff: () => Number.MAX_VALUE, attempts: 2 });
    await send('k', 'bad');
    expect(of('retried').map(({ delay }) => delay)).toEqual([24 * 3_600_000]);
    await clock.advance(24 * 3_600_000);
    expect(of('exhausted')).toHaveLength(1);
  });

  test('is asked about a failing init too, with how often it failed', async () => {
    const seen: unknown[] = [];
    const { send, clock, handler } = await (async () => {
      let inits = 0;
      const handler = new RecordingHandler({ init: () => (++inits < 3 ? Promise.reject(new Busy(3_000)) : 'made') });
      const failurePolicy: FailurePolicyOptions = {
        attempts: 1,
        backoff(failure) {
          seen.push([failure.callback, failure.attempt, failure.messageId]);
          return (failure.error as Busy).retryAfter;
        },
      };
      return { handler, ...(await startEngine(handler, { failurePolicy })) };
    })();
    await send('k', 'a');
    await clock.advance(5_999);
    expect(handler.messages('k')).toEqual([]);
    await clock.advance(1);
    expect(handler.messages('k')).toEqual(['a']);
    expect(seen.map((each) => (each as unknown[]).slice(0, 2))).toEqual([
      ['init', 1],
      ['init', 2],
    ]);
  });

  test('is not asked how long a refused dead letter waits', async () => {
    let asked = 0;
    const { send, clock, broker, handler } = await startFailing({ attempts: 1, backoff: () => ++asked * 1_000_000 }, {
      memory: { totalCount: 1 },
    } as MississippiOptions);
    limitDeadLetters(broker, 1);
    await send('l', 'bad');
    await send('k', 'bad', 'next');
    broker.takeDeadLetters();
    await clock.advance(10_000);
    expect(handler.messages('k')).toEqual(['bad', 'next']);
    expect(asked).toBe(0);
  });

  test('that makes the head too old parks its key under pressure', async () => {
    const { send, of } = await startFailing({ backoff: () => 3_600_000 });
    await send('k', 'bad');
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
  });
});

describe('a rule for errors', () => {
  test('sees the error and what failed', async () => {
    const seen: unknown[] = [];
    const { send } = await startFailing({
      onError(error, failure) {
        seen.push([error, failure.error, failure.attempt, failure.key]);
        return undefined;
      },
    });
    await send('k', 'bad');
    expect(seen).toEqual([[BROKEN, BROKEN, 1, 'k']]);
  });

  test.each(['retry', undefined] as const)('that says %s leaves it to the ordinary policy', async (verdict) => {
    const { send, clock, of, handler } = await startFailing({ onError: () => verdict });
    await send('k', 'bad', 'next');
    await clock.advance(10_000);
    expect(of('retried')).toHaveLength(4);
    expect(of('exhausted')).toHaveLength(1);
    expect(handler.messages('k').at(-1)).toBe('next');
  });

  test.each([
    ['at the first attempt', 1],
    ['later', 2],
    ['at the last', 5],
  ])('that says discard dead-letters the message at once, with error and attempts: %s', async (_, at) => {
    const { send, clock, broker, handler, of } = await startFailing({
      onError: (__, { attempt }) => (attempt === at ? 'discard' : undefined),
    });
    await send('k', 'bad', 'next');
    await clock.advance(10_000);
    expect(handler.messages('k')).toEqual([...Array<string>(at).fill('bad'), 'next']);
    expect(handler.of('k')).toContain('terminate broken');
    expect(broker.deadLetters).toMatchObject([
      {
        headers: {
          [NOTE_HEADERS.reason]: 'discarded',
          [NOTE_HEADERS.error]: 'Error: broken',
          [NOTE_HEADERS.attempts]: at,
          [NOTE_HEADERS.stack]: expect.stringContaining('failure-policy.spec') as unknown,
        },
      },
    ]);
    expect(of('discarded')).toMatchObject([{ attempt: at, reason: 'Error: broken' }]);
    expect(of('exhausted')).toEqual([]);
  });

  test('that says park parks the key from that message on, until it is resumed', async () => {
    let broken = true;
    const { send, handler, of, service, logs, broker } = await startEngineParking(() => broken);
    await send('k', 'bad', 'next');
    await send('l', 'other');
    expect(handler.calls.filter((call) => call.includes('message'))).toEqual(['k message bad', 'l message other']);
    expect(of('parked')).toMatchObject([{ mode: 'held' }]);
    expect(broker.parkedCount(0)).toBe(2);
    expect(logs).toEqual([
      expect.stringMatching(/parked after 1 attempt; resume the key or drop the message: Error: broken$/),
    ]);
    broken = false;
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'next']);
  });

  async function startEngineParking(broken: () => boolean) {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'bad' && broken() ? Promise.reject(BROKEN) : undefined),
    });
    const engine = await startEngine(handler, { memory: { totalCount: 1 }, failurePolicy: { onError: () => 'park' } });
    return { handler, broker: engine.transport.broker, ...engine };
  }

  test('is noted as the reason of what it parks', async () => {
    const notes: unknown[] = [];
    class Noting extends ScriptedTransport {
      override own() {
        const epoch = super.own();
        const park = epoch.park.bind(epoch);
        Object.assign(epoch, {
          park(delivery: Delivery, mode: ParkedMode, note: MessageHeaders) {
            notes.push(note[NOTE_HEADERS.reason], note[NOTE_HEADERS.error], note[NOTE_HEADERS.attempts]);
            return park(delivery, mode);
          },
        });
        return epoch;
      }
    }
    const transport = new Noting();
    await startEngine(
      { handleMessage: () => Promise.reject(BROKEN) },
      { transport, failurePolicy: { onError: () => 'park' } },
    );
    transport.own().deliver('k', 'bad');
    await settled();
    expect(notes).toEqual(['error_rule', 'Error: broken', 1]);
  });

  test.each([...NONSENSE, ['returns another word', () => 'drop'] as [string, () => unknown]])(
    'that %s has said nothing: the error is logged, and the ordinary policy applies',
    async (_, nonsense) => {
      const { send, clock, of, handler, logs } = await startFailing({ onError: nonsense as () => undefined });
      await send('k', 'bad', 'next');
      await clock.advance(10_000);
      expect(of('retried')).toHaveLength(4);
      expect(handler.messages('k').at(-1)).toBe('next');
      expect(
        logs.filter((line) => /^failurePolicy\.onError (threw|returned .*), so the ordinary policy/.test(line)),
      ).toHaveLength(1);
    },
  );

  test('is asked about an attempt that took too long', async () => {
    const errors: unknown[] = [];
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'slow' ? gates.at('never') : undefined),
    });
    const { send, clock, transport } = await startEngine(handler, {
      handlerTimeout: 5_000,
      failurePolicy: { onError: (error) => (errors.push(error), 'discard') },
    });
    await send('k', 'slow', 'next');
    await clock.advance(6_000);
    expect(errors).toEqual([expect.any(HandlerTimeoutError)]);
    expect(handler.messages('k')).toEqual(['slow', 'next']);
    expect(transport.broker.deadLetters).toMatchObject([{ headers: { [NOTE_HEADERS.reason]: 'discarded' } }]);
  });

  test('is not asked about what is no failed attempt: a discard, a payload that cannot be read, a failing init', async () => {
    let asked = 0;
    let inits = 0;
    const handler = new RecordingHandler({
      init: () => (++inits === 1 ? Promise.reject(BROKEN) : undefined),
      handleMessage: () => discard('no'),
    });
    const { send, clock, transport } = await startEngine(handler, {
      memory: { totalCount: 1 },
      failurePolicy: { onError: () => (asked++, 'park') },
      payload: {
        encode: (payload) => Buffer.from(String(payload)),
        decode: (body) => JSON.parse(String(body)) as unknown,
      },
    });
    await send('k', '{', '1');
    await clock.advance(1_000);
    expect(transport.broker.deadLetters.map(({ headers }) => headers[NOTE_HEADERS.reason])).toEqual([
      'payload_undecodable',
      'discarded',
    ]);
    expect(asked).toBe(0);
  });

  describe('about a direct message', () => {
    test.each(['discard', 'park'] as const)(
      '%s rejects its caller at once: it is never dead-lettered or parked',
      async (verdict) => {
        const seen: boolean[] = [];
        const { service, of, broker, handler, send } = await startFailing({
          onError: (_, { direct }) => (seen.push(direct), verdict),
          onExhausted: 'park',
        });
        const handled = watch(service.handleMessage('k', { payload: 'bad' }));
        await settled();
        expect(handled).toMatchObject({ state: 'rejected', value: { attempts: 1, cause: BROKEN } });
        expect(handled.value).toBeInstanceOf(AttemptsExhaustedError);
        expect(seen).toEqual([true]);
        expect(broker.deadLetters).toEqual([]);
        expect(of('parked')).toEqual([]);
        await send('k', 'next');
        expect(handler.messages('k')).toEqual(['bad', 'next']);
      },
    );

    test('whose payload is refused is not asked', async () => {
      class Reading {
        @IsInt()
        value!: number;
      }
      let asked = 0;
      const failurePolicy: FailurePolicyOptions = { onError: () => (asked++, 'discard') };
      const { service } = await startEngine({ handleMessage: () => undefined }, { payload: Reading, failurePolicy });
      const handled = watch(service.handleMessage('k', { payload: { value: 'x' } }));
      for (let round = 0; round < 3; round++) await settled();
      expect(handled.value).toBeInstanceOf(PayloadInvalidError);
      expect(asked).toBe(0);
    });
  });
});

describe('a rule for errors, where the key is fed from the side queue under pressure,', () => {
  /** Retries once, which parks the key under pressure, and then says something else. */
  async function startUnderPressure(verdict: 'discard' | 'park') {
    return startFailing({ onError: (_, { attempt }) => (attempt === 2 ? verdict : 'retry') }, { pressureAge: 50 });
  }

  test('may discard the message: what follows is handled in order, and the key is no longer parked', async () => {
    const { send, clock, handler, broker, of } = await startUnderPressure('discard');
    await send('k', 'bad', 'a', 'b');
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
    await clock.advance(1_000);
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'a', 'b']);
    expect(broker.deadLetters).toHaveLength(1);
    expect(of('unparked')).toHaveLength(1);
    expect(broker.parkedCount(0)).toBe(0);
  });

  test('may park the key: it is held from then on, and nothing of it is lost', async () => {
    const { send, clock, handler, broker, of, service } = await startUnderPressure('park');
    await send('k', 'bad', 'a', 'b');
    await clock.advance(1_000);
    expect(of('parked').map(({ mode }) => mode)).toEqual(['pressure', 'held']);
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect(broker.parkedCount(0)).toBe(3);
    await service.drop('k');
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'a', 'b']);
  });
});

describe('what a policy’s function does meanwhile', () => {
  test.each(['backoff', 'onError'] as const)('it may end the epoch: the message comes back (%s)', async (name) => {
    const transport = new ScriptedTransport();
    const handler = new RecordingHandler({ handleMessage: () => Promise.reject(BROKEN) });
    const { engine } = await startEngine(handler, { transport, failurePolicy: { [name]: () => epoch.lose() } });
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a']);
    const next = transport.own();
    next.redeliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'a']);
    await engine.stop();
  });

  test.each([undefined, 'retry', 'discard', 'park'] as const)(
    'it may park its key, whatever it says: %s',
    async (verdict) => {
      const { send, service, of, broker, handler } = await startFailing({
        onError(_, { key }) {
          void service.park(key);
          return verdict;
        },
      });
      await send('k', 'bad', 'next');
      expect(of('parked')).toMatchObject([{ mode: 'held' }]);
      expect(broker.parkedCount(0)).toBe(verdict === 'discard' ? 1 : 2);
      expect(handler.messages('k')).toEqual(['bad']);
    },
  );
});

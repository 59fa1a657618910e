import { ack, type MississippiOptions } from '../../src/index.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const BROKEN = new Error('broken');

/** An engine whose handler fails at each message called `bad`, as often as is said. */
async function startFailing(options: MississippiOptions & { failures?: number; random?: () => number } = {}) {
  const { failures = Infinity, ...engineOptions } = options;
  let failed = 0;
  const handler = new RecordingHandler({
    handleMessage: (payload) => (payload === 'bad' && failed++ < failures ? Promise.reject(BROKEN) : undefined),
  });
  const { transport: _, ...own } = engineOptions;
  return { handler, ...(await startEngine(handler, own)) };
}

describe('attempts', () => {
  test('are 5 by default, with waits of 100 ms × 2ⁿ between them, while the key stays blocked', async () => {
    const { send, clock, handler, of, transport } = await startFailing();
    await send('k', 'bad', 'next');
    for (const [failures, at] of [0, 100, 300, 700].entries()) {
      expect(clock.now()).toBe(at);
      expect(handler.messages('k')).toEqual(Array<string>(failures + 1).fill('bad'));
      await clock.advance(clock.next! - at);
    }
    expect(clock.now()).toBe(1_500);
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'bad', 'bad', 'bad', 'next']);
    expect(of('retried').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(of('exhausted')).toMatchObject([{ attempt: 5, error: BROKEN }]);
    expect(transport.broker.length).toBe(0);
  });

  test('are counted in the context, and start at one with the next message', async () => {
    const attempts: string[] = [];
    const { send, clock } = await startEngine({
      handleMessage(payload, _, { attempt }) {
        attempts.push(`${String(payload)}${attempt}`);
        if (attempt < 3) throw BROKEN;
      },
    });
    await send('k', 'a', 'b');
    await clock.advance(1_000);
    expect(attempts).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3']);
  });

  test('may be without end', async () => {
    const { send, clock, handler, of } = await startFailing({ failurePolicy: { attempts: Infinity }, failures: 50 });
    await send('k', 'bad', 'next');
    await clock.advance(500_000);
    expect(handler.messages('k')).toEqual([...Array<string>(51).fill('bad'), 'next']);
    expect(of('exhausted')).toEqual([]);
  });

  test('one attempt means no retry', async () => {
    const { send, handler } = await startFailing({ failurePolicy: { attempts: 1 } });
    await send('k', 'bad', 'next');
    expect(handler.messages('k')).toEqual(['bad', 'next']);
  });

  test('each see the payload as it was published', async () => {
    const seen: unknown[] = [];
    const { send, clock } = await startEngine({
      handleMessage(payload) {
        const reading = payload as { value: number };
        seen.push(reading.value++);
        if (seen.length < 3) throw BROKEN;
      },
    });
    await send('k', { value: 1 });
    await clock.advance(1_000);
    expect(seen).toEqual([1, 1, 1]);
  });
});

describe('waits', () => {
  test('are capped at 10 s by default', async () => {
    const { send, clock, of } = await startFailing({ failurePolicy: { attempts: 10 } });
    await send('k', 'bad');
    await clock.advance(100_000);
    expect(of('retried').map(({ delay }) => delay)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  test('have full jitter: anything from nothing up to the bound', async () => {
    const draws = [0, 0.5, 0.25, 0.999];
    const { send, clock, of } = await startFailing({ random: () => draws.shift()! });
    await send('k', 'bad');
    await clock.advance(10_000);
    expect(of('retried').map(({ delay }) => delay)).toEqual([0, 100, 100, 799.2]);
  });

  test('can be configured', async () => {
    const { send, clock, of } = await startFailing({ failurePolicy: { backoff: { initial: 5, max: 12 } } });
    await send('k', 'bad');
    await clock.advance(1_000);
    expect(of('retried').map(({ delay }) => delay)).toEqual([5, 10, 12, 12]);
  });

  test('block their own key only', async () => {
    const { send, handler, clock } = await startFailing({ failures: 1 });
    await send('k', 'bad', 'next');
    await send('l', 'other');
    expect(handler.messages('l')).toEqual(['other']);
    expect(handler.messages('k')).toEqual(['bad']);
    await clock.advance(100);
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'next']);
  });
});

describe('a failing init', () => {
  /** An engine whose `init` fails as often as is said. */
  async function startFailingInit(failures: number, options: MississippiOptions = {}) {
    let inits = 0;
    const attempts: number[] = [];
    const handler = new RecordingHandler<string>({
      init: () => (++inits <= failures ? Promise.reject(BROKEN) : 'made'),
      handleMessage: (_, __, { attempt }) => void attempts.push(attempt),
    });
    const { transport: _, ...own } = options;
    return { handler, attempts, ...(await startEngine(handler, own)) };
  }

  test('uses up no attempt', async () => {
    const { send, clock, handler, attempts, transport } = await startFailingInit(20);
    await send('k', 'a', 'b');
    await clock.advance(200_000);
    expect(handler.of('k')).toEqual([...Array<string>(21).fill('init'), 'message a', 'message b']);
    expect(attempts).toEqual([1, 1]);
    expect(transport.broker.deadLetters).toEqual([]);
  });

  test('is tried again with a capped backoff, without limit', async () => {
    const { send, clock, handler } = await startFailingInit(Infinity, { failurePolicy: { attempts: 1 } });
    await send('k', 'a');
    const startedAt: number[] = [];
    for (let inits = 1; inits <= 9; inits++) {
      expect(handler.of('k')).toHaveLength(inits);
      startedAt.push(clock.now());
      await clock.advance(clock.next! - clock.now());
    }
    expect(startedAt).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 12_700, 22_700]);
  });

  test('is seen in the health, until it succeeds', async () => {
    const { send, clock, service, of } = await startFailingInit(2);
    await send('k', 'a');
    expect(service.status()).toMatchObject({ failingInits: 1, backoffs: 1, liveKeys: 0 });
    expect([...service.liveKeys()]).toMatchObject([
      { key: 'k', state: 'backoff', lastError: { message: expect.stringContaining('broken') as unknown } },
    ]);
    expect(of('startFailed')).toMatchObject([{ error: BROKEN, failures: 1 }]);
    await clock.advance(1_000);
    expect(of('startFailed').map(({ failures }) => failures)).toEqual([1, 2]);
    expect(service.status()).toMatchObject({ failingInits: 0, backoffs: 0, liveKeys: 1 });
  });

  test('between two attempts at a message leaves the count of the attempts alone', async () => {
    let inits = 0;
    const attempts: number[] = [];
    const { send, clock } = await startEngine({
      init: () => (++inits === 2 ? Promise.reject(BROKEN) : undefined),
      handleMessage(_, __, { attempt }) {
        attempts.push(attempt);
        return attempt < 3 ? Promise.reject(BROKEN) : ack();
      },
    });
    await send('k', 'a');
    await clock.advance(10_000);
    expect(attempts).toEqual([1, 2, 3]);
  });
});

import { KeyParkedError, NOTE_HEADERS, type MississippiOptions } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

/** An engine of one shard with a window of ten, in which the key `bad` fails until `healed()`. */
async function startUnderPressure(options: MississippiOptions & { failingInit?: boolean } = {}) {
  const { failingInit = false, transport: _, ...own } = options;
  let healthy = false;
  const failing = (key: unknown): Promise<never> | undefined =>
    key === 'bad' && !healthy ? Promise.reject(new Error('broken')) : undefined;
  const handler = new RecordingHandler({
    init: (key) => (failingInit ? failing(key) : undefined),
    handleMessage: (_payload, _state, { key }) => (failingInit ? undefined : failing(key)),
  });
  const engine = await startEngine(handler, {
    failurePolicy: { attempts: Infinity },
    ...own,
    memory: { totalCount: 1, prefetch: 10 },
  });
  return {
    handler,
    broker: engine.transport.broker,
    healed: () => {
      healthy = true;
    },
    ...engine,
  };
}

describe.each([
  ['whose head is in backoff', false],
  ['whose init fails', true],
])('a key %s', (_, failingInit) => {
  test('is parked under pressure when it holds half of the prefetch window, not before', async () => {
    const { send, broker, of, service } = await startUnderPressure({ failingInit });
    await send('bad', ...numbers(1, 4));
    expect(of('parked')).toEqual([]);
    expect(broker.parkedCount(0)).toBe(0);
    await send('bad', '5');
    expect(of('parked')).toMatchObject([{ key: 'bad', mode: 'pressure' }]);
    expect(broker.parkedCount(0)).toBe(5);
    expect(broker.length).toBe(0);
    expect(service.status()).toMatchObject({ parkedKeys: 1, parkedMessages: 5 });
  });

  test('does not stop the other keys of its shard, however many messages it gets', async () => {
    const { send, handler, broker } = await startUnderPressure({ failingInit });
    await send('bad', ...numbers(1, 100));
    await send('k', 'a');
    expect(handler.messages('k')).toEqual(['a']);
    expect(broker.parkedCount(0)).toBe(100);
  });

  test('is parked under pressure when its head is older than 10 minutes', async () => {
    const { send, clock, broker, of } = await startUnderPressure({ failingInit });
    await send('bad', '1', '2');
    await clock.advance(589_000);
    expect(of('parked')).toEqual([]);
    await clock.advance(11_000);
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
    expect(broker.parkedCount(0)).toBe(2);
    expect(broker.length).toBe(0);
  });

  test('resumes by itself, in order, and goes on from the shard', async () => {
    const { send, clock, broker, handler, healed, of } = await startUnderPressure({ failingInit });
    await send('bad', ...numbers(1, 7));
    healed();
    await clock.advance(10_000);
    expect(of('unparked')).toHaveLength(1);
    expect(broker.parkedCount(0)).toBe(0);
    await send('bad', ...numbers(8, 9));
    const handled = handler.messages('bad').filter((payload, index, all) => payload !== all[index - 1]);
    expect(handled).toEqual(numbers(1, 9));
  });
});

test('under pressure the head goes on with its attempts where it was, and is exhausted after the last', async () => {
  const { send, clock, handler, broker } = await startUnderPressure({ failurePolicy: { attempts: 3 } });
  await send('bad', ...numbers(1, 5));
  await clock.advance(300);
  expect(handler.messages('bad').slice(0, 4)).toEqual(['1', '1', '1', '2']);
  expect(broker.deadLetters.map(({ headers }) => headers[NOTE_HEADERS.attempts])).toEqual([3]);
});

test('a message that is set aside under pressure can be held after its last attempt', async () => {
  const { send, clock, handler, of, service, healed } = await startUnderPressure({
    failurePolicy: { attempts: 2, onExhausted: 'park' },
  });
  await send('bad', ...numbers(1, 5));
  await clock.advance(60_000);
  expect(of('parked').map(({ mode }) => mode)).toEqual(['pressure', 'held']);
  expect(handler.messages('bad')).toEqual(['1', '1']);
  healed();
  await service.resume('bad');
  await settled();
  expect(handler.messages('bad')).toEqual(['1', '1', ...numbers(1, 5)]);
});

test('the age is configurable', async () => {
  const { send, clock, of } = await startUnderPressure({ pressureAge: 1_000 });
  await send('bad', '1');
  await clock.advance(1_000);
  expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
});

test('a busy key that does not fail is never parked, however much of the window it holds', async () => {
  const slow = new RecordingHandler({ handleMessage: () => new Promise<never>(() => undefined) });
  const { send, clock, of } = await startEngine(slow, {
    memory: { totalCount: 1, prefetch: 10 },
    handlerTimeout: Infinity,
  });
  await send('k', ...numbers(1, 50));
  await clock.advance(3_600_000);
  expect(of('parked')).toEqual([]);
});

test('who is refused because a key is under pressure is told that it resumes by itself', async () => {
  const { send, service } = await startUnderPressure();
  await send('bad', ...numbers(1, 5));
  const calls = [service.handleMessage('bad', { payload: 'x' }), service.resume('bad'), service.drop('bad')];
  const refusals = await Promise.all(calls.map((call: Promise<unknown>) => call.catch((error: unknown) => error)));
  expect(refusals[0]).toMatchObject({ name: 'KeyParkedError', state: 'pressure' });
  expect(String(refusals[0])).toMatch(/parked under pressure.*try again later, since it resumes by itself/);
  expect(refusals.slice(1).map(String)).toEqual([
    'KeyNotParkedError: The key "bad" is parked under pressure and resumes by itself: there is nothing to do.',
    'KeyNotParkedError: The key "bad" is parked under pressure and resumes by itself: park the key first, then drop its message.',
  ]);
});

test('a direct message that fails gives none of its attempts to the message behind it', async () => {
  const attempts: string[] = [];
  const { send, service, clock } = await startEngine(
    {
      handleMessage(payload, _, { attempt }) {
        attempts.push(`${String(payload)}:${attempt}`);
        if (payload === 'direct') throw new Error('broken');
      },
    },
    { memory: { totalCount: 1, prefetch: 10 } },
  );
  const direct = watch(service.handleMessage('k', { payload: 'direct' }));
  await send('k', ...numbers(1, 5));
  expect(direct.value).toBeInstanceOf(KeyParkedError);
  await clock.advance(1_000);
  expect(attempts.slice(0, 2)).toEqual(['direct:1', '1:1']);
});

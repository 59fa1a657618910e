import { discard, KeyParkedError, NOTE_HEADERS, type MississippiOptions } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startFailingKey } from '../support/failing-key.js';
import { ScriptedDelivery, ScriptedEpoch, ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

describe.each([
  ['whose head is in backoff', false],
  ['whose init fails', true],
])('a key %s', (_, failingInit) => {
  test('is parked under pressure when it holds half of the prefetch window, not before', async () => {
    const { send, broker, of, service } = await startFailingKey({ failingInit });
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
    const { send, handler, broker } = await startFailingKey({ failingInit });
    await send('bad', ...numbers(1, 100));
    await send('k', 'a');
    expect(handler.messages('k')).toEqual(['a']);
    expect(broker.parkedCount(0)).toBe(100);
  });

  test('is parked under pressure when its head is older than 10 minutes', async () => {
    const { send, clock, broker, of } = await startFailingKey({ failingInit });
    await send('bad', '1', '2');
    await clock.advance(589_000);
    expect(of('parked')).toEqual([]);
    await clock.advance(11_000);
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
    expect(broker.parkedCount(0)).toBe(2);
    expect(broker.length).toBe(0);
  });

  test('resumes by itself, in order, and goes on from the shard', async () => {
    const { send, clock, broker, handler, healed, of } = await startFailingKey({ failingInit });
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
  const { send, clock, handler, broker } = await startFailingKey({ failurePolicy: { attempts: 3 } });
  await send('bad', ...numbers(1, 5));
  await clock.advance(300);
  expect(handler.messages('bad').slice(0, 4)).toEqual(['1', '1', '1', '2']);
  expect(broker.deadLetters.map(({ headers }) => headers[NOTE_HEADERS.attempts])).toEqual([3]);
});

test('a message that is set aside under pressure can be held after its last attempt', async () => {
  const { send, clock, handler, of, service, healed } = await startFailingKey({
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
  const { send, clock, of } = await startFailingKey({ pressureAge: 1_000 });
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
  const { send, service } = await startFailingKey();
  await send('bad', ...numbers(1, 5));
  const calls = [service.handleMessage('bad', { payload: 'x' }), service.resume('bad'), service.drop('bad')];
  const refusals = await Promise.all(calls.map((call: Promise<unknown>) => call.catch((error: unknown) => error)));
  expect(refusals[0]).toMatchObject({ name: 'KeyParkedError', state: 'pressure' });
  expect(String(refusals[0])).toMatch(/parked under pressure.*try again later, since it resumes by itself/);
  expect(refusals.slice(1).map(String)).toEqual([
    'KeyNotParkedError: The key "bad" is parked under pressure and resumes by itself: there is nothing to do.',
    'KeyNotParkedError: The key "bad" is parked under pressure and resumes by itself: park the key first (MississippiOperator.pause), then drop its message.',
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

describe('a key whose dead letter is not taken', () => {
  const REFUSED = new Error('the queue of the dead letters is full');

  /** An engine with a window of ten that discards every `bad`, over a broker that takes no dead letter until told. */
  async function startRefusing(options: MississippiOptions = {}) {
    const { transport: _, ...own } = options;
    const transport = new ScriptedTransport({ prefetch: 10 });
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload.startsWith('bad') ? discard('no') : undefined),
    });
    const engine = await startEngine(handler, { ...own, transport });
    const epoch = transport.own();
    const refusing = Promise.reject(REFUSED);
    refusing.catch(() => undefined);
    epoch.letters = refusing;
    const deliver = async (...payloads: string[]): Promise<void> => {
      for (const payload of payloads) epoch.deliver('k', payload);
      await settled();
    };
    return { handler, epoch, deliver, takes: () => void (epoch.letters = Promise.resolve()), ...engine };
  }

  test('gives back its part of the window between two tries, in order, its first message included', async () => {
    const { deliver, epoch, of, service, takes, clock, handler } = await startRefusing();
    await deliver('bad', '2', '3', '4');
    expect(epoch.moved).toEqual([]);
    await deliver('5');
    expect(epoch.moved).toEqual(['bad', '2', '3', '4', '5']);
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
    await deliver('6');
    expect(epoch.moved).toEqual(['bad', '2', '3', '4', '5', '6']);
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['bad']);
    expect(service.status()).toMatchObject({ oldestHead: 60_000, parkedKeys: 1 });
    takes();
    await clock.advance(10_000);
    expect(epoch.deadLettered).toEqual(['bad']);
    expect(handler.messages('k')).toEqual(['bad', '2', '3', '4', '5', '6']);
    expect(epoch.settled).toEqual(['2', '3', '4', '5', '6']);
    expect(service.status()).toMatchObject({ oldestHead: 0, parkedKeys: 0, parkedMessages: 0 });
    await deliver('7');
    expect(epoch.moved).toHaveLength(6);
    expect(handler.messages('k').at(-1)).toBe('7');
  });

  test('gives it back when its head is too old', async () => {
    const { deliver, epoch, clock } = await startRefusing({ pressureAge: 1_000 });
    await deliver('bad', '2');
    await clock.advance(500);
    expect(epoch.moved).toEqual([]);
    await clock.advance(1_000);
    expect(epoch.moved).toEqual(['bad', '2']);
  });

  test('moves nothing while its dead letter is under way: it would be doubled, and nothing may go before it', async () => {
    const { deliver, epoch } = await startRefusing();
    let refuse: (error: Error) => void = () => undefined;
    epoch.letters = new Promise((_, reject) => {
      refuse = reject;
    });
    await deliver('bad', '2', '3', '4', '5', '6');
    expect(epoch.moved).toEqual([]);
    refuse(REFUSED);
    await settled();
    expect(epoch.moved).toEqual(['bad', '2', '3', '4', '5', '6']);
  });

  test('is handed over at once when its message lies in the side queue: what must follow is the next owner’s', async () => {
    const { deliver, epoch } = await startRefusing();
    const handler = new RecordingHandler({ handleMessage: () => discard('no', undefined, { continue: 'x' }) });
    const transport = new ScriptedTransport({ prefetch: 2 });
    const { service } = await startEngine(handler, { transport });
    const other = transport.own();
    other.letters = epoch.letters;
    other.deliver('k', 'a');
    other.deliver('k', 'b');
    await deliver('bad', '2', '3', '4', '5');
    expect(other.moved).toEqual(['a', 'b']);
    const released = [watch(other.receiver.release()), watch(epoch.receiver.release())];
    await settled();
    expect(released.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    expect([...service.liveKeys()]).toEqual([]);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shardReleased']);
  });

  test('is tried on from the side queue with as many tries as it had, and parked by somebody once it is certain', async () => {
    const { deliver, epoch, takes, clock, service, of } = await startRefusing();
    await deliver('bad', '2', '3', '4', '5');
    await clock.advance(1_000);
    await service.park('k');
    await clock.advance(60_000);
    takes();
    await clock.advance(10_000);
    expect(epoch.deadLettered).toEqual(['bad']);
    expect(of('parked').map(({ mode }) => mode)).toEqual(['pressure', 'held']);
    expect([...service.liveKeys()]).toMatchObject([{ state: 'parked', parked: 4 }]);
  });
});

describe('a slow key', () => {
  /** An engine whose attempts take a minute each, though none fails. */
  async function startSlow(pressureAge: number) {
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: (_, __, { key }) => (key === 'slow' ? gates.at('slow') : undefined),
    });
    const engine = await startEngine(handler, { pressureAge, memory: { totalCount: 1, prefetch: 4 } });
    const minute = async (): Promise<void> => {
      await engine.clock.advance(60_000);
      gates.open('slow');
      await settled();
    };
    return { handler, minute, broker: engine.transport.broker, ...engine };
  }

  test('moves aside what waits in the window for too long, between two messages, and goes on in order', async () => {
    const { send, minute, handler, of, service } = await startSlow(100_000);
    await send('slow', ...numbers(1, 6));
    await send('k', 'a');
    expect(handler.messages('k')).toEqual([]);
    await minute();
    expect(of('parked')).toEqual([]);
    await minute();
    expect(of('parked')).toMatchObject([{ key: 'slow', mode: 'pressure' }]);
    expect(handler.messages('k')).toEqual(['a']);
    expect(service.status()).toMatchObject({ failingInits: 0, backoffs: 0 });
    for (let left = 3; left <= 6; left++) await minute();
    expect(handler.messages('slow')).toEqual(numbers(1, 6));
    expect(of('unparked')).toHaveLength(1);
    expect(of('retried')).toEqual([]);
  });

  test('moves nothing aside that has not waited for so long', async () => {
    const { send, minute, handler, of } = await startSlow(Infinity);
    await send('slow', ...numbers(1, 6));
    for (let left = 1; left <= 6; left++) await minute();
    expect(handler.messages('slow')).toEqual(numbers(1, 6));
    expect(of('parked')).toEqual([]);
  });
});

describe('where the broker takes back what is not settled in time', () => {
  /** One attempt runs at a time, and `slow...` ends when the test says so. */
  async function startBusy(deliveryTimeout: number) {
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload.startsWith('slow') ? gates.at(payload) : undefined),
    });
    const transport = new ScriptedTransport({ deliveryTimeout });
    const options = { transport, concurrency: 1, handlerTimeout: deliveryTimeout / 3 };
    return { gates, handler, ...(await startEngine(handler, options)) };
  }

  test('a message that waits for its turn for a third of that moves aside, though nothing of its key runs', async () => {
    const { transport, clock, gates, handler, of } = await startBusy(180_000);
    const epoch = transport.own();
    // Each takes a little less than its time-out; the slot goes from one to the next.
    for (const name of ['slow 1', 'slow 2', 'slow 3']) epoch.deliver(name, name);
    epoch.deliver('k', 'a');
    epoch.deliver('k', 'b');
    for (const name of ['slow 1', 'slow 2']) {
      await clock.advance(59_000);
      gates.open(name, undefined);
      await settled();
    }
    expect(epoch.moved).toEqual(['slow 3', 'a', 'b']);
    expect(of('parked').map(({ key, mode }) => [key, mode])).toEqual([
      ['slow 3', 'pressure'],
      ['k', 'pressure'],
    ]);
    gates.open('slow 3', undefined);
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test('what was read from the side queue and does not get its turn is read again, and keeps its turn', async () => {
    const { transport, clock, gates, handler } = await startBusy(180_000);
    // The one slot is taken by what runs from the epoch before.
    const before = transport.own();
    before.deliver('slow', 'slow');
    before.lose();
    const epoch = new ScriptedEpoch([new ScriptedDelivery('k', 'a', true)]);
    let closed = 0;
    const read = epoch.readParked.bind(epoch);
    epoch.readParked = (key) => ({ ...read(key), close: () => closed++ });
    await transport.claim(epoch);
    await clock.advance(29_000);
    expect(closed).toBe(0);
    await clock.advance(20_000);
    expect(closed).toBe(1);
    gates.open('slow', undefined);
    await settled();
    expect(handler.messages('k')).toEqual(['a']);
    expect(epoch.settled).toEqual(['a']);
  });
});

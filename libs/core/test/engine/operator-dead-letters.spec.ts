import {
  memory,
  MississippiOperator,
  NOTE_HEADERS,
  PublishError,
  REPLAY_HEADER,
  type MississippiOptions,
} from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** An engine that gives up at once what is in `failing`, and an operator. */
async function start(options: Omit<MississippiOptions, 'transport'> = {}) {
  const failing = new Set(['bad', 'worse']);
  const headers: unknown[] = [];
  const handler = new RecordingHandler({
    handleMessage: (payload, _, context) => {
      headers.push(context.headers[REPLAY_HEADER]);
      return failing.has(payload) ? Promise.reject(new Error('broken')) : undefined;
    },
  });
  const transport = memory({ totalCount: 4, deadLetterLimit: Infinity });
  const engine = await startEngine(handler, { failurePolicy: { attempts: 1 }, transport, ...options });
  const operator = new MississippiOperator(engine);
  return { ...engine, failing, headers, handler, operator, broker: transport.broker };
}

const payloadsOf = ({ deadLetters }: { deadLetters: readonly { body: Uint8Array }[] }): unknown[] =>
  deadLetters.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as unknown);

describe('dead letters are listed', () => {
  test('with what there is to know of each, the oldest first', async () => {
    const { publish, operator, clock } = await start();
    await publish('k', 'bad', { messageId: 'one', type: 'flight' });
    await settled();
    await publish('l', 'worse', { messageId: 'two' });
    await settled();
    const { letters, more, total } = await operator.deadLetters();
    expect([more, total]).toEqual([false, 2]);
    expect(letters).toMatchObject([
      {
        key: 'k',
        text: '"k"',
        messageId: 'one',
        type: 'flight',
        reason: 'attempts_exhausted',
        error: 'Error: broken',
        attempts: 1,
        failedAt: new Date(clock.time()),
        replays: 0,
        size: 5,
      },
      { messageId: 'two', type: undefined },
    ]);
    expect((await operator.deadLetters()).letters[0]!.id).toBe(letters[0]!.id);
    expect(letters[0]!.id).not.toBe(letters[1]!.id);
  });

  test('the first ones only, and it is said that there are more', async () => {
    const { send, operator } = await start();
    await send('k', 'bad', 'bad', 'bad');
    const { letters, more, total } = await operator.deadLetters({ limit: 2 });
    expect([letters.length, more, total]).toEqual([2, true, 3]);
    expect((await operator.deadLetters({ limit: 3 })).more).toBe(false);
  });

  test('by key, reason, type and time', async () => {
    const { publish, operator, clock, service } = await start();
    const begun = new Date(clock.time());
    await publish('k', 'bad', { messageId: 'one', type: 'flight' });
    await settled();
    await clock.advance(60_000);
    await publish('l', 'bad', { messageId: 'two', type: 'delay' });
    await service.park('m');
    await publish('m', 'fine', { messageId: 'three' });
    await settled();
    await service.drop('m');
    const later = new Date(clock.time());
    const ids = async (filter: Parameters<typeof operator.deadLetters>[0]) =>
      (await operator.deadLetters(filter)).letters.map(({ messageId }) => messageId);
    expect(await ids({ key: 'k' })).toEqual(['one']);
    expect(await ids({ reason: 'dropped' })).toEqual(['three']);
    expect(await ids({ type: 'delay' })).toEqual(['two']);
    expect(await ids({ until: later })).toEqual(['one']);
    expect(await ids({ since: later })).toEqual(['two', 'three']);
    expect(await ids({ since: begun, until: later, key: 'l' })).toEqual([]);
  });

  test('with those that have no key that can be read', async () => {
    const { operator, broker } = await start();
    broker.inject(0, { body: Uint8Array.of(1), messageId: 'lost' });
    await settled();
    expect((await operator.deadLetters()).letters).toMatchObject([
      { key: undefined, text: '(none)', messageId: 'lost', reason: 'key_missing' },
    ]);
  });

  test('by one operator at a time', async () => {
    const { send, operator, broker } = await start();
    await send('k', 'bad', 'bad');
    broker.block();
    const replay = watch(operator.replay({}, { rate: Infinity }));
    await settled();
    await expect(operator.deadLetters()).rejects.toMatchObject({ code: 'dead_letters_busy' });
    broker.unblock();
    await settled();
    expect(replay.state).toBe('resolved');
    expect((await operator.deadLetters()).total).toBe(2); // They failed again.
  });
});

describe('one dead letter is shown', () => {
  test('with payload, headers and stack', async () => {
    const { publish, operator } = await start();
    await publish('k', 'bad', { messageId: 'one', headers: { trace: 'x' }, type: 'flight', timestamp: 1_700_000_000 });
    await settled();
    const { id } = (await operator.deadLetters()).letters[0]!;
    const letter = await operator.deadLetter(id);
    expect(letter).toMatchObject({
      id,
      messageId: 'one',
      payload: 'bad',
      headers: { trace: 'x' },
      properties: { type: 'flight' },
      timestamp: 1_700_000_000,
      stack: expect.stringContaining('operator-dead-letters.spec') as string,
    });
    expect(Buffer.from(letter.body!).toString()).toBe('"bad"');
    expect(Object.keys(letter.headers)).not.toContain(NOTE_HEADERS.error);
    await expect(operator.deadLetter('none')).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });

  test('as redact lets it be shown, and without its bytes', async () => {
    const { publish, operator } = await start({
      redact: (value, { what, key, type }) =>
        `${String(value).length} letters of a ${what} of ${String(key)} (${type})`,
    });
    await publish('k', 'worse', { type: 'flight' });
    await settled();
    const { id } = (await operator.deadLetters()).letters[0]!;
    expect(await operator.deadLetter(id)).toMatchObject({
      payload: '5 letters of a payload of k (flight)',
      body: undefined,
    });
  });

  test('not at all where redact fails', async () => {
    const { send, operator } = await start({
      redact: () => {
        throw new Error('no idea');
      },
    });
    await send('k', 'bad');
    const { id } = (await operator.deadLetters()).letters[0]!;
    expect((await operator.deadLetter(id)).payload).toBe('(not shown, since redact failed: Error: no idea)');
  });
});

describe('a replay', () => {
  test('brings a message back to the end of its key, marked, and out of the dead letters', async () => {
    const { publish, operator, failing, handler, headers, broker } = await start();
    await publish('k', 'bad', { messageId: 'one', headers: { trace: 'x' }, type: 'flight' });
    await settled();
    await operator.replay({});
    await settled();
    expect(broker.deadLetters).toMatchObject([{ messageId: 'one', headers: { trace: 'x', [REPLAY_HEADER]: 1 } }]);
    failing.clear();
    await operator.replay({});
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'bad']);
    expect(headers).toEqual([undefined, 1, 2]);
    expect(broker.deadLetters).toEqual([]);
  });

  test('of all, of a key, or of one alone; what was not meant stays in its place', async () => {
    const { send, operator, broker, failing } = await start();
    await send('k', 'bad', 'worse');
    await send('l', 'bad');
    failing.clear();
    const { letters } = await operator.deadLetters();
    expect(await operator.replay({ id: letters[1]!.id })).toMatchObject({ read: 2, total: 3, done: 1 });
    expect(payloadsOf(broker)).toEqual(['bad', 'bad']);
    expect(await operator.replay({ key: 'l' })).toMatchObject({ read: 2, done: 1 });
    expect((await operator.deadLetters()).letters.map(({ key }) => key)).toEqual(['k']);
    await expect(operator.replay({ id: letters[1]!.id })).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });

  test('is handled though its key was parked meanwhile and its shard lost: it is not what was given up', async () => {
    const { send, operator, failing, handler, broker, shard } = await start();
    await send('k', 'bad');
    failing.clear();
    await operator.pause('k');
    await operator.replay({}, { rate: Infinity });
    await settled();
    broker.loseShard(shard('k'));
    await settled();
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect([broker.parkedCount(shard('k')), broker.deadLetters]).toEqual([0, []]);
  });

  test('does not meet again what fails again', async () => {
    const { send, operator, handler } = await start();
    await send('k', 'bad');
    expect(await operator.replay({}, { rate: Infinity })).toMatchObject({ done: 1 });
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect((await operator.deadLetters()).total).toBe(1);
  });

  test('keeps the order of each key, and tells how far it is', async () => {
    const { publish, operator, handler, failing } = await start();
    failing.clear();
    for (let n = 0; n < 400; n++) failing.add(`m${n}`);
    for (let n = 0; n < 400; n++) await publish(`k${n % 3}`, `m${n}`);
    await settled();
    failing.clear();
    const told: number[] = [];
    await operator.replay({}, { rate: Infinity, progress: ({ done }) => told.push(done) });
    await settled();
    for (const key of ['k0', 'k1', 'k2']) {
      const own = Array.from({ length: 400 }, (_, n) => `m${n}`).filter((_, n) => `k${n % 3}` === key);
      expect(handler.messages(key)).toEqual([...own, ...own]);
    }
    expect(told.at(-1)).toBe(400);
  });

  test('is not faster than it is told to be', async () => {
    const { send, operator, clock, handler } = await start();
    await send('k', 'bad', 'bad', 'bad', 'bad');
    const replay = watch(operator.replay({}, { rate: 2 }));
    await settled();
    expect(handler.messages('k')).toHaveLength(5);
    await clock.advance(1_000);
    expect(handler.messages('k')).toHaveLength(7);
    expect(replay.state).toBe('pending');
    await clock.advance(500);
    expect(replay.state).toBe('resolved');
  });

  test('ends where a message is not taken: what is behind it of its key stays too, in order', async () => {
    const { publish, operator, engine, broker, failing } = await start();
    for (const [key, payload, messageId] of [
      ['k', 'bad', '1'],
      ['k', 'worse', '2'],
      ['l', 'bad', '3'],
    ] as const) {
      await publish(key, payload, { messageId });
    }
    await settled();
    failing.clear();
    const { publisher } = engine.connection();
    const inner = publisher.publish.bind(publisher);
    publisher.publish = (message, timeout) =>
      message.messageId === '1' ? Promise.reject(new PublishError('nacked', 'it is full')) : inner(message, timeout);
    await expect(operator.replay({}, { rate: Infinity })).rejects.toMatchObject({ code: 'replay_stopped' });
    expect(broker.deadLetters.map(({ messageId }) => messageId).slice(0, 2)).toEqual(['1', '2']);
    publisher.publish = inner;
    await operator.replay({}, { rate: Infinity });
    expect(broker.deadLetters).toEqual([]);
  });

  test('is ended by a signal behind what is under way, says how far it came, and leaves the rest in its place', async () => {
    const { publish, operator, clock, broker } = await start();
    for (const messageId of ['1', '2', '3', '4']) await publish('k', 'bad', { messageId });
    await settled();
    const stopping = new AbortController();
    const replay = watch(operator.replay({}, { rate: 2, signal: stopping.signal }));
    await clock.advance(500);
    stopping.abort();
    await clock.advance(500);
    expect(replay.value).toEqual({ read: 3, total: 4, done: 3, withoutKey: 0 });
    expect(broker.deadLetters.map(({ messageId }) => messageId)).toEqual(['4', '1', '2', '3']);
    expect(await operator.replay({ id: 'no matter' }, { signal: stopping.signal })).toMatchObject({ done: 0 });
  });

  test('leaves what has no key', async () => {
    const { operator, broker } = await start();
    broker.inject(0, { body: Uint8Array.of(1) });
    await settled();
    expect(await operator.replay({})).toMatchObject({ done: 0, withoutKey: 1 });
    const [letter] = (await operator.deadLetters()).letters;
    expect(await operator.replay({ id: letter!.id })).toMatchObject({ done: 0, withoutKey: 1 });
    expect(broker.deadLetters).toHaveLength(1);
  });

  test.each([0, -1, Number.NaN, '5'])('at a rate of %p is refused, and replays nothing', async (rate) => {
    const { send, operator, broker } = await start();
    await send('k', 'bad');
    await expect(operator.replay({}, { rate: rate as number })).rejects.toMatchObject({ code: 'invalid_message' });
    expect(broker.deadLetters).toHaveLength(1);
  });

  test('says what went wrong, where the reader cannot be closed either', async () => {
    const { send, operator, engine } = await start();
    await send('k', 'bad');
    const connection = engine.connection();
    const reading = connection.readDeadLetters!.bind(connection);
    connection.readDeadLetters = async () => {
      const reader = await reading();
      const failing = (what: string) => () => Promise.reject(new Error(what));
      return Object.assign(reader, { next: failing('the broker is gone'), close: failing('the channel is closed') });
    };
    await expect(operator.replay({})).rejects.toThrow('the broker is gone');
  });
});

test('dead letters are dropped by a filter', async () => {
  const { send, operator, broker } = await start();
  await send('k', 'bad', 'worse');
  await send('l', 'bad');
  expect(await operator.dropDeadLetters({ key: 'k' })).toMatchObject({ done: 2, total: 3 });
  expect(payloadsOf(broker)).toEqual(['bad']);
  await operator.dropDeadLetters({});
  expect(broker.deadLetters).toEqual([]);
});

test('a filter that lost what it was to name means nothing, rather than all', async () => {
  const { send, operator, broker } = await start();
  await send('k', 'bad');
  const lost = { id: undefined } as unknown as { id: string };
  await expect(operator.dropDeadLetters(lost)).rejects.toMatchObject({ code: 'invalid_message' });
  await expect(operator.replay(lost)).rejects.toMatchObject({ code: 'invalid_message' });
  expect(payloadsOf(broker)).toEqual(['bad']);
});

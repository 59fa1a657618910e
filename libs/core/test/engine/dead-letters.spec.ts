import { NOTE_HEADERS, PUBLISHED_AT_HEADER, discard, type MemoryDeadLetter } from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { settled } from '../support/fake-clock.js';
import { RecordingHandler, text, watch } from '../support/recording-handler.js';
import { limitDeadLetters } from '../support/limit-dead-letters.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

const REASON = NOTE_HEADERS.reason;

/** An engine that fails at `bad` once and for all, refuses `no`, and is content with everything else. */
async function startFailing(options: { error?: Error } = {}) {
  const { error = new Error('broken') } = options;
  const handler = new RecordingHandler({
    handleMessage(payload) {
      if (payload === 'bad') throw error;
      return payload === 'no' ? discard('refused') : undefined;
    },
  });
  const engine = await startEngine(handler, { memory: { totalCount: 1 }, failurePolicy: { attempts: 1 } });
  return { handler, broker: engine.transport.broker, ...engine };
}

function bodies(letters: readonly MemoryDeadLetter[]): unknown[] {
  return letters.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as unknown);
}

describe('a dead letter', () => {
  test('is what becomes of a message whose attempts are exhausted, by default', async () => {
    const { send, broker, handler, of } = await startFailing();
    await send('k', 'bad', 'next');
    expect(bodies(broker.deadLetters)).toEqual(['bad']);
    expect(broker.length).toBe(0);
    expect(of('deadLettered')).toMatchObject([{ key: 'k', reason: 'attempts_exhausted' }]);
    expect(handler.messages('k')).toEqual(['bad', 'next']);
  });

  test('keeps body, key, message id, timestamp and headers', async () => {
    const { publish, broker } = await startFailing();
    await publish('k', 'bad', { messageId: 'id-1', timestamp: 1_700_000_000, headers: { trace: 'x' } });
    await settled();
    expect(broker.takeDeadLetters()).toMatchObject([
      {
        key: encodeShardingKey('k'),
        messageId: 'id-1',
        timestamp: 1_700_000_000,
        headers: { trace: 'x', [PUBLISHED_AT_HEADER]: expect.any(Number) as unknown },
      },
    ]);
  });

  test('gets headers that say reason, error, attempts, shard, time and key', async () => {
    const { send, broker, clock } = await startFailing({
      error: new Error('broken', { cause: new TypeError('deep') }),
    });
    await send('k', 'bad');
    const { headers } = broker.deadLetters[0]!;
    expect(headers).toMatchObject({
      [REASON]: 'attempts_exhausted',
      [NOTE_HEADERS.error]: 'Error: broken (cause: TypeError: deep)',
      [NOTE_HEADERS.attempts]: 1,
      [NOTE_HEADERS.shard]: 0,
      [NOTE_HEADERS.key]: '"k"',
    });
    expect(headers[NOTE_HEADERS.time]).toBe(clock.time());
  });

  test.each([
    ['text', 'x'.repeat(100_000)],
    ['text of wide characters', '€'.repeat(100_000)],
  ])('gets at most 4 KB of them, however long the error: %s', async (_, long) => {
    const error = new Error(long, { cause: new Error(long, { cause: new Error(long, { cause: new Error(long) }) }) });
    const { publish, broker } = await startFailing({ error });
    await publish('€'.repeat(4_000), 'bad');
    await settled();
    const { headers } = broker.deadLetters[0]!;
    const added = Object.values(NOTE_HEADERS).flatMap((name) => [name, text(headers[name])]);
    expect(Buffer.byteLength(added.join(''))).toBeLessThanOrEqual(4_096);
  });

  test('is made of a discard at once, of an exhausted message after its last attempt', async () => {
    const { send, broker } = await startFailing();
    await send('k', 'no', 'bad');
    expect(broker.deadLetters.map(({ headers }) => [headers[REASON], headers[NOTE_HEADERS.error]])).toEqual([
      ['discarded', 'refused'],
      ['attempts_exhausted', 'Error: broken'],
    ]);
  });
});

describe('the confirm of a dead letter', () => {
  test('comes before the ack: until then the message is unsettled and its key waits, other keys do not', async () => {
    const { send, publish, broker, handler } = await startFailing();
    const sent = [publish('k', 'bad'), publish('k', 'next'), publish('l', 'other')];
    broker.block();
    await Promise.all(sent);
    await settled();
    expect(broker.deadLetters).toEqual([]);
    expect(broker.length).toBe(2);
    expect(handler.calls).toContain('l message other');
    expect(handler.messages('k')).toEqual(['bad']);
    broker.unblock();
    await send('k', 'last');
    expect(bodies(broker.deadLetters)).toEqual(['bad']);
    expect(handler.messages('k')).toEqual(['bad', 'next', 'last']);
    expect(broker.length).toBe(0);
  });

  test('is tried for until it comes, with a backoff, while the key waits', async () => {
    const { send, clock, broker, handler, logs } = await startFailing();
    const take = limitDeadLetters(broker, 0);
    await send('k', 'bad', 'next');
    await clock.advance(1_000_000);
    expect(handler.messages('k')).toEqual(['bad']);
    expect(logs.filter((line) => line.includes('is tried again'))).toHaveLength(1);
    take();
    await clock.advance(10_000);
    expect(bodies(broker.deadLetters)).toEqual(['bad']);
    expect(handler.messages('k')).toEqual(['bad', 'next']);
  });

  test('that comes after the epoch has ended settles nothing: the message comes back', async () => {
    const { publish, broker, handler } = await startFailing();
    const sent = publish('k', 'bad');
    broker.block();
    await sent;
    await settled();
    broker.loseShard(0);
    broker.unblock();
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect(bodies(broker.deadLetters)).toEqual(['bad']);
    expect(broker.length).toBe(0);
  });
});

describe('dead letters that are full', () => {
  async function startFull(deadLetterLimit: number, failing: number) {
    const handler = new RecordingHandler({
      handleMessage(payload) {
        if (payload !== 'fine') throw new Error('broken');
      },
    });
    const memory = { totalCount: 4, deadLetterLimit };
    const engine = await startEngine(handler, { memory, failurePolicy: { attempts: 1 } });
    for (let number = 0; number < failing; number++) await engine.send(`k${number}`, `bad ${number}`);
    return { ...engine, handler, broker: engine.transport.broker };
  }

  test('drop the oldest: no key waits for room, and the latest are kept', async () => {
    const { send, broker, handler } = await startFull(3, 10);
    await send('healthy', 'fine');
    await send('k0', 'fine');
    expect(handler.messages('healthy')).toEqual(['fine']);
    expect(handler.messages('k0')).toEqual(['bad 0', 'fine']);
    expect(bodies(broker.deadLetters)).toEqual(['bad 7', 'bad 8', 'bad 9']);
    expect(broker.length).toBe(0);
  });

  test('count what was dropped, in the broker and in the status', async () => {
    const { send, broker, engine } = await startFull(3, 10);
    expect(broker.droppedDeadLetters).toBe(7);
    expect(engine.status().transport.droppedDeadLetters).toBe(7);
    broker.takeDeadLetters();
    await send('k', 'bad again');
    expect(broker.droppedDeadLetters).toBe(7);
  });

  test('say so once in ten seconds', async () => {
    const { send, clock, logs } = await startFull(3, 10);
    const told = () => logs.filter((line) => line.includes('dead letters are full'));
    expect(told()).toHaveLength(1);
    expect(told()[0]).toContain('only the latest 3 are kept. Read them with broker.takeDeadLetters()');
    await clock.advance(10_000);
    await send('k', 'bad again');
    expect(told()).toHaveLength(2);
    expect(told()[1]).toContain('(and 6 more since the last such line)');
  });
});

describe('what cannot be handled at all is dead-lettered and crashes nothing', () => {
  const message = { body: Buffer.from('"x"'), messageId: 'x', timestamp: undefined };

  test.each([
    ['a message without a key', undefined, 'key_missing'],
    ['a key that is no term', Buffer.from('nonsense'), 'key_undecodable'],
    ['an empty key', Buffer.alloc(0), 'key_undecodable'],
    ['a key with bytes behind it', Buffer.concat([encodeShardingKey('k'), Buffer.from([0])]), 'key_undecodable'],
  ])('%s', async (_, key, reason) => {
    const { send, broker, handler, of } = await startFailing();
    broker.inject(0, { key, ...message });
    await send('k', 'a');
    expect(broker.deadLetters).toMatchObject([{ key, headers: { [REASON]: reason } }]);
    expect(broker.length).toBe(0);
    expect(of('shardLost')).toEqual([]);
    expect(handler.calls).toEqual(['k init', 'k message a']);
  });

  test('a key that belongs to another shard', async () => {
    const handler = new RecordingHandler();
    const { shard, transport } = await startEngine(handler);
    const wrong = (shard('k') + 1) % 128;
    transport.broker.inject(wrong, { key: encodeShardingKey('k'), ...message });
    await settled();
    expect(transport.broker.deadLetters).toMatchObject([
      { headers: { [REASON]: 'wrong_shard', [NOTE_HEADERS.shard]: wrong } },
    ]);
    expect(handler.calls).toEqual([]);
  });

  test('a payload that is no JSON, without a try', async () => {
    const { send, broker, handler, of } = await startFailing();
    broker.inject(0, { ...message, key: encodeShardingKey('k'), body: Buffer.from('{') });
    await send('k', 'a');
    expect(broker.deadLetters).toMatchObject([{ headers: { [REASON]: 'payload_undecodable' } }]);
    expect(of('retried')).toEqual([]);
    expect(handler.messages('k')).toEqual(['a']);
  });

  test('where the dead letter is not confirmed, it is tried again and delays nobody', async () => {
    const { send, clock, broker, handler } = await startFailing();
    const take = limitDeadLetters(broker, 0);
    broker.inject(0, { key: undefined, ...message });
    await send('k', 'a');
    expect(handler.messages('k')).toEqual(['a']);
    expect(broker.length).toBe(1);
    take();
    await clock.advance(10_000);
    expect(broker.deadLetters).toMatchObject([{ headers: { [REASON]: 'key_missing' } }]);
    expect(broker.length).toBe(0);
  });
});

test('the hand-over of a shard waits for dead letters that are under way', async () => {
  const transport = new ScriptedTransport();
  await startEngine(new RecordingHandler({ handleMessage: () => discard('no') }), { transport });
  const epoch = transport.own();
  let confirm = (): void => undefined;
  epoch.letters = new Promise((resolve) => {
    confirm = resolve;
  });
  epoch.deliver('k', 'a');
  const released = watch(epoch.receiver.release());
  await settled();
  expect(released.state).toBe('pending');
  confirm();
  await settled();
  expect(released.state).toBe('resolved');
  expect(epoch.deadLettered).toEqual(['a']);
});

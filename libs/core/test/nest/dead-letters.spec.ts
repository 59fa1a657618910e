import { inspect } from 'node:util';
import { ErlangFloat } from '@mississippi/terms';
import { IsInt } from 'class-validator';
import {
  discard,
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  PUBLISHED_AT_HEADER,
  type DataUpdaterHandler,
  type MessageHeaders,
  type PayloadFormat,
  type ShardingKey,
} from '@mississippi/core';
import { AT_ONCE, closeApps, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

const OWN_HEADERS = Object.values(NOTE_HEADERS);

async function start(handleMessage: (payload: unknown) => unknown, payload: PayloadFormat = 'json') {
  @MessageHandler()
  class Handler implements DataUpdaterHandler {
    handleMessage(payload: unknown) {
      return handleMessage(payload) as undefined;
    }
  }
  const transport = memory();
  const imports = [MississippiModule.forRoot({ transport, payload, keys: 'any', failurePolicy: AT_ONCE })];
  const app = await startApp({ imports, providers: [Handler] });
  return async (shardingKey: ShardingKey, payload: unknown = 'x', headers: MessageHeaders = {}) => {
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish(payload, { shardingKey, headers, messageId: 'id', timestamp: 1_700_000_000 });
    await dead;
    return transport.broker.takeDeadLetters()[0]!;
  };
}

/** What the notes take up on the wire, names and all. */
function size(headers: MessageHeaders): number {
  return OWN_HEADERS.reduce(
    (sum, name) => sum + Buffer.byteLength(name) + Buffer.byteLength(inspect(headers[name])),
    0,
  );
}

test('an exhausted message tells reason, error, stack, attempts, shard, time and key, and keeps all that it had', async () => {
  const before = Date.now();
  const letterOf = await start(() => {
    throw new TypeError('no such device', { cause: new RangeError('id 7') });
  });
  const letter = await letterOf('device', { on: true }, { tenant: 'a', count: 3 });
  expect(letter.headers).toEqual({
    tenant: 'a',
    count: 3,
    [PUBLISHED_AT_HEADER]: expect.any(Number),
    [NOTE_HEADERS.reason]: 'attempts_exhausted',
    [NOTE_HEADERS.error]: 'TypeError: no such device (cause: RangeError: id 7)',
    [NOTE_HEADERS.stack]: expect.stringMatching(/^at .*dead-letters\.spec\.ts[^]*Caused by: RangeError: id 7/),
    [NOTE_HEADERS.attempts]: 3,
    [NOTE_HEADERS.shard]: expect.any(Number),
    [NOTE_HEADERS.time]: expect.any(Number),
    [NOTE_HEADERS.key]: expect.stringContaining('device'),
  });
  expect(letter.headers[NOTE_HEADERS.time]).toBeGreaterThanOrEqual(before);
  expect(JSON.parse(Buffer.from(letter.body).toString())).toEqual({ on: true });
  expect(letter).toMatchObject({ messageId: 'id', timestamp: 1_700_000_000 });
});

test.each<[string, unknown, string]>([
  ['a word', 'too old', 'too old'],
  ['an error', new RangeError('too old'), 'RangeError: too old'],
  ['an object', { code: 7 }, '{ code: 7 }'],
])('a discard tells its reason: %s', async (_name, reason, text) => {
  const letterOf = await start(() => discard(reason));
  expect((await letterOf('k')).headers).toMatchObject({
    [NOTE_HEADERS.reason]: 'discarded',
    [NOTE_HEADERS.error]: text,
    [NOTE_HEADERS.attempts]: 1,
  });
});

describe('the notes are at most 4 KB', () => {
  const huge = '🌊'.repeat(100_000);

  test.each<[string, ShardingKey]>([
    ['text', '🌊'.repeat(4_000)],
    ['bytes', Buffer.alloc(16_000, 0xff)],
    ['a list', Array.from({ length: 3_000 }, (_, index) => index)],
    ['a deep list', JSON.parse('['.repeat(200) + ']'.repeat(200)) as ShardingKey],
    ['a float', new ErlangFloat(0.1)],
  ])('with a huge error and a key of %s', async (_name, key) => {
    const letterOf = await start(() => {
      throw new Error(huge, { cause: new Error(huge, { cause: new Error(huge) }) });
    });
    const { headers } = await letterOf(key);
    expect(size(headers)).toBeLessThanOrEqual(4_096);
    expect(headers[NOTE_HEADERS.error]).toMatch(/^Error: 🌊🌊🌊/u);
  });

  test('with a payload of which everything is wrong', async () => {
    const message = 'wrong 🌊'.repeat(100);
    class Wide {}
    for (let index = 0; index < 100; index++) IsInt({ message })(Wide.prototype, `field${index}`);
    const letterOf = await start(() => undefined, Wide);
    const { headers } = await letterOf('🌊'.repeat(4_000), {});
    expect(headers[NOTE_HEADERS.reason]).toBe('payload_invalid');
    expect(size(headers)).toBeLessThanOrEqual(4_096);
    expect(headers[NOTE_HEADERS.error]).toMatch(/^The payload is no valid Wide: wrong .*…$/u);
  });

  test('with a discard for a huge reason', async () => {
    const letterOf = await start(() => discard({ huge, list: Array.from({ length: 10_000 }, () => huge) }));
    expect(size((await letterOf('k')).headers)).toBeLessThanOrEqual(4_096);
  });
});

import { filter, firstValueFrom, skip } from 'rxjs';
import {
  memory,
  MessageHandler,
  MississippiModule,
  PUBLISHED_AT_HEADER,
  type DataUpdaterHandler,
  type MessageContext,
  type PayloadFormat,
  type PublishOptions,
  type ShardingKey,
} from '@mississippi/core';
import { closeApps, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

const contexts: MessageContext[] = [];
beforeEach(() => void contexts.splice(0));

@MessageHandler()
class Keeping implements DataUpdaterHandler {
  handleMessage(_payload: unknown, _state: unknown, context: MessageContext): void {
    contexts.push(context);
  }
}

/** An app that only publishes, so that what was sent stays in the broker. */
async function publisher(payload: PayloadFormat = 'json') {
  const transport = memory({ broker: memory().broker });
  const app = await startApp({ imports: [MississippiModule.forRoot({ transport, payload, producerOnly: true })] });
  const producer = producerOf(app);
  return {
    producer,
    sent: () => transport.broker.length,
    refusal: async (body: unknown, options?: unknown): Promise<Error & { code?: string }> => {
      const error: unknown = await producer
        .publish(body, options as PublishOptions)
        .then(() => undefined)
        .catch((error: unknown) => error);
      expect(error).toBeInstanceOf(Error);
      expect(transport.broker.length).toBe(0);
      return error as Error;
    },
  };
}

/** What the handler is told about a message that is published so. */
async function received(options: Partial<PublishOptions>): Promise<MessageContext> {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
  const handled = next(serviceOf(app), 'handled');
  await producerOf(app).publish('x', { shardingKey: 'k', ...options });
  await handled;
  return contexts.at(-1)!;
}

describe('a payload that cannot be encoded rejects publish, and nothing is sent:', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const throwing = {
    toJSON(): never {
      throw new Error('no form');
    },
  };

  test.each<[string, PayloadFormat, unknown, string]>([
    ['a BigInt', 'json', 1n, 'BigInt'],
    ['a cycle', 'json', cycle, 'circular'],
    ['undefined', 'json', undefined, 'undefined has no form in JSON'],
    ['a function', 'json', () => undefined, 'function has no form in JSON'],
    ['a symbol', 'json', Symbol('x'), 'symbol has no form in JSON'],
    ['what throws while it is read', 'json', throwing, 'no form'],
    ['a number as text', 'text', 5, 'a string was expected, not number'],
    ['nothing as text', 'text', undefined, 'a string was expected, not undefined'],
    ['a string as bytes', 'bytes', 'x', 'a Uint8Array was expected, not string'],
    ['an array as bytes', 'bytes', [1], 'a Uint8Array was expected, not object'],
  ])('%s', async (_name, format, payload, text) => {
    const { refusal } = await publisher(format);
    const error = await refusal(payload, { shardingKey: 'k' });
    expect(error).toMatchObject({ name: 'PayloadEncodeError', code: 'payload_unencodable' });
    expect(error.message).toMatch(/^The payload cannot be encoded, so nothing was sent: /);
    expect(error.message).toContain(text);
  });
});

describe('a message without a sharding key is refused and asked for one:', () => {
  test.each([
    ['no options', undefined],
    ['no key', {}],
    ['a key that is undefined', { shardingKey: undefined }],
  ])('%s', async (_name, options) => {
    const { refusal } = await publisher();
    const error = await refusal('x', options);
    expect(error).toMatchObject({ code: 'missing_sharding_key' });
    expect(error.message).toContain('pass { shardingKey }');
  });
});

describe('a key that is no term is refused:', () => {
  class Device {
    readonly id = 7;
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);

  test.each<[string, unknown]>([
    ['a function', () => 'k'],
    ['NaN', NaN],
    ['Infinity', -Infinity],
    ['a list that holds itself', cycle],
    ['a symbol', Symbol('k')],
    ['an instance of a class', new Device()],
    ['a date', new Date(0)],
    ['a list that holds undefined', [undefined]],
    ['a text of more than 16 KB', 'x'.repeat(16 * 1_024)],
    ['a list of more than 16 KB', Array.from({ length: 20_000 }, () => 1)],
  ])('%s', async (_name, shardingKey) => {
    const { refusal } = await publisher();
    const error = await refusal('x', { shardingKey });
    expect(error).toMatchObject({ code: 'invalid_sharding_key' });
    expect(error.message).toMatch(/^The sharding key cannot be used: /);
  });
});

test.each<[string, ShardingKey]>([
  ['the empty string', ''],
  ['zero', 0],
  ['a list', ['device', 7]],
  ['bytes', Uint8Array.of(255)],
  ['a text of nearly 16 KB', 'x'.repeat(16_000)],
])('a key may be %s, and comes back as it was', async (_name, shardingKey) => {
  const { key } = await received({ shardingKey });
  expect(key instanceof Uint8Array ? [...key] : key).toEqual(
    shardingKey instanceof Uint8Array ? [...shardingKey] : shardingKey,
  );
});

describe('wrong metadata is refused:', () => {
  test.each([1.5, NaN, Infinity, '1700000000', 5n, null, new Date(0), 2 ** 53])(
    'the timestamp %p',
    async (timestamp) => {
      const { refusal } = await publisher();
      const error = await refusal('x', { shardingKey: 'k', timestamp });
      expect(error).toMatchObject({ code: 'invalid_message' });
      expect(error.message).toContain('whole seconds');
    },
  );

  test.each([5, null, Symbol('id'), {}])('the message id %p', async (messageId) => {
    const { refusal } = await publisher();
    const error = await refusal('x', { shardingKey: 'k', messageId });
    expect(error).toMatchObject({ code: 'invalid_message' });
    expect(error.message).toContain('The messageId must be a string');
  });
});

describe('a message', () => {
  test('keeps its headers, id and timestamp', async () => {
    const headers = { tenant: 'a', count: 3, flag: true, nothing: null, list: [1, 'b'], nested: { deep: 1 } };
    const context = await received({ headers, messageId: 'order-7', timestamp: 0 });
    expect(context).toMatchObject({ messageId: 'order-7', timestamp: 0, headers });
  });

  test('gets an id, the time of its publishing and nothing else where none is given', async () => {
    const before = Math.floor(Date.now() / 1_000);
    const context = await received({});
    expect(context.messageId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(Number.isInteger(context.timestamp)).toBe(true);
    expect(context.timestamp).toBeGreaterThanOrEqual(before);
    expect(Object.keys(context.headers)).toEqual([PUBLISHED_AT_HEADER]);
  });

  test('is not changed by what the publisher does with its headers afterwards', async () => {
    const headers: Record<string, string> = { tenant: 'a' };
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
    const handled = next(serviceOf(app), 'handled');
    const published = producerOf(app).publish('x', { shardingKey: 'k', headers });
    headers['tenant'] = 'b';
    await published;
    await handled;
    expect(contexts[0]!.headers['tenant']).toBe('a');
  });
});

test('messages of one key are handled in the order of the publish calls, awaited or not', async () => {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
  const ids = Array.from({ length: 200 }, (_, index) => `m${index}`);
  const allHandled = firstValueFrom(
    serviceOf(app).events.pipe(
      filter(({ type }) => type === 'handled'),
      skip(ids.length - 1),
    ),
  );
  await Promise.all(ids.map((messageId) => producerOf(app).publish('x', { shardingKey: 'k', messageId })));
  await allHandled;
  expect(contexts.map(({ messageId }) => messageId)).toEqual(ids);
});

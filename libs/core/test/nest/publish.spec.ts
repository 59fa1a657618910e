import { filter, firstValueFrom, skip } from 'rxjs';
import {
  memory,
  MessageHandler,
  MississippiModule,
  PUBLISHED_AT_HEADER,
  type DataUpdaterHandler,
  type Failure,
  type HeaderValue,
  type MessageContext,
  type MessageHeaders,
  type MessageProperties,
  type PayloadCodec,
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

/** Changes whatever can be changed. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Uint8Array) value.fill(0);
  else {
    for (const [name, inner] of Object.entries(value)) {
      spoil(inner);
      Reflect.deleteProperty(value, name);
    }
    if (Array.isArray(value)) value.length = 0;
  }
}

/** Keeps a copy of what it sees, changes it, and fails. */
@MessageHandler()
class Spoiling implements DataUpdaterHandler {
  static readonly seen: unknown[] = [];
  handleMessage(_payload: unknown, _state: unknown, { headers }: MessageContext): void {
    const { header } = headers;
    Spoiling.seen.push(copyOf(header));
    spoil(headers);
    throw new Error('not this time');
  }
}

function copyOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]));
}

@MessageHandler()
class SpoilingPayload implements DataUpdaterHandler<unknown, Uint8Array> {
  static readonly seen: string[] = [];
  handleMessage(payload: Uint8Array): void {
    SpoilingPayload.seen.push(Buffer.from(payload).toString());
    payload.fill(0);
    throw new Error('not this time');
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
    ['half a surrogate pair as text', 'text', 'a\ud83d', 'half a surrogate pair'],
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
    ['a key that is null', { shardingKey: null }],
    ['an empty text', { shardingKey: '' }],
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
    ['half a surrogate pair', 'a\udc00'],
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
  ['zero', 0],
  ['a list', ['device', 7]],
  ['bytes', Uint8Array.of(255)],
  ['a text of nearly 16 KB', 'x'.repeat(16_000)],
])('a key may be %s, and comes back as it was', async (_name, shardingKey) => {
  const key: ShardingKey = (await received({ shardingKey })).key;
  expect(typeof key === 'object' ? [...(key as Iterable<unknown>)] : key).toEqual(
    shardingKey instanceof Uint8Array ? [...shardingKey] : shardingKey,
  );
});

describe('wrong metadata is refused:', () => {
  test.each([-1, 1.5, NaN, Infinity, '1700000000', 5n, null, new Date(0), 2 ** 53])(
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

  test.each([
    ['of more than 255 bytes', 'é'.repeat(128)],
    ['with half a surrogate pair', 'id \ud800'],
  ])('a message id %s', async (_what, messageId) => {
    const { refusal } = await publisher();
    const error = await refusal('x', { shardingKey: 'k', messageId });
    expect(error).toMatchObject({ code: 'invalid_message' });
    expect(error.message).toContain('at most 255 bytes');
  });

  test.each([
    ['type', 5, 'The type must be a string, not'],
    ['contentType', null, 'The contentType must be a string, not'],
    ['correlationId', 'é'.repeat(128), 'The correlationId must be a text of at most 255 bytes'],
    ['appId', 'a\ud800', 'The appId must be a text of at most 255 bytes'],
    ['replyTo', 'amq.rabbitmq.reply-to', "The replyTo cannot be 'amq.rabbitmq.reply-to'"],
  ])('the %s %p', async (name, value, text) => {
    const { refusal } = await publisher();
    const error = await refusal('x', { shardingKey: 'k', [name]: value });
    expect(error).toMatchObject({ name: 'InvalidMessageError', code: 'invalid_message' });
    expect(error.message).toContain(text);
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
    const direct = serviceOf(app).handleMessage('k', { payload: 1, [name]: value });
    await expect(direct).rejects.toMatchObject({ code: 'invalid_message', message: error.message });
  });
});

const PROPERTIES: MessageProperties = {
  type: 'order.created',
  contentType: 'application/json',
  contentEncoding: 'identity',
  correlationId: 'c-1',
  replyTo: 'answers',
  appId: 'shop',
};

describe('what a publisher says of a message reaches', () => {
  test('the handler', async () => {
    expect(await received(PROPERTIES)).toMatchObject(PROPERTIES);
  });

  test('the handler, where it bypasses the transport', async () => {
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
    await serviceOf(app).handleMessage('k', { payload: 1, ...PROPERTIES });
    expect(contexts[0]).toMatchObject(PROPERTIES);
  });

  test('the failure policy, and the dead letters', async () => {
    const failures: Failure[] = [];
    const onError = (_error: unknown, failure: Failure): 'discard' => {
      failures.push(failure);
      return 'discard';
    };
    const transport = memory();
    const app = await startApp({
      imports: [MississippiModule.forRoot({ transport, failurePolicy: { onError } })],
      providers: [Spoiling],
    });
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish('x', { shardingKey: 'k', ...PROPERTIES });
    await dead;
    Spoiling.seen.splice(0);
    expect(failures).toEqual([expect.objectContaining(PROPERTIES)]);
    expect(transport.broker.takeDeadLetters()).toEqual([expect.objectContaining({ properties: PROPERTIES })]);
  });

  test('nobody, where there is nothing to say', async () => {
    const context = await received({});
    for (const name of Object.keys(PROPERTIES)) expect(context[name as keyof MessageProperties]).toBeUndefined();
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

/** Lists around a number. */
function nested(depth: number): HeaderValue {
  let value: HeaderValue = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function throws(): never {
  throw new Error('out of reach');
}

describe('a header that cannot be sent is refused by its name:', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const list: unknown[] = [];
  list.push(list);
  class Money {
    readonly cents = 5;
  }

  test.each<[string, unknown, string]>([
    ['NaN', { h: NaN }, "The header 'h' cannot be sent: a finite number was expected, not NaN."],
    ['Infinity', { h: -Infinity }, "The header 'h' cannot be sent: a finite number was expected, not -Infinity."],
    [
      'an integer beyond 64 bits',
      { h: 2n ** 63n },
      "The header 'h' cannot be sent: an integer of 64 bits was expected",
    ],
    ['one below them', { h: -(2n ** 63n) - 1n }, "The header 'h' cannot be sent: an integer of 64 bits was expected"],
    [
      'a date',
      { h: new Date(0) },
      "The header 'h' cannot be sent: text, a number, a bigint, a boolean, null, a Uint8Array",
    ],
    ['a map', { h: new Map() }, "The header 'h' cannot be sent: text"],
    ['an instance of a class', { h: new Money() }, "The header 'h' cannot be sent: text"],
    ['other typed arrays', { h: Uint16Array.of(1) }, "The header 'h' cannot be sent: text"],
    ['a symbol', { h: Symbol('s') }, "The header 'h' cannot be sent: text"],
    ['a function', { h: () => 1 }, "The header 'h' cannot be sent: text"],
    ['half a surrogate pair', { h: '\ud800' }, "The header 'h' cannot be sent: its text holds half a surrogate pair"],
    ['the same in a name', { 'h\ud800': 1 }, 'its name holds half a surrogate pair'],
    ['undefined in a list', { h: [undefined] }, "The header 'h[0]' cannot be sent: text"],
    ['something deep inside', { h: [1, { a: { b: NaN } }] }, "The header 'h[1].a.b' cannot be sent: a finite number"],
    ['a table that holds itself', cycle, 'it lies more than 32 lists and tables deep, or holds itself'],
    ['a list that holds itself', { list }, 'it lies more than 32 lists and tables deep, or holds itself'],
    ['what lies too deep', { h: nested(33) }, 'it lies more than 32 lists and tables deep'],
    ['a name of more than 255 bytes', { ['x'.repeat(256)]: 1 }, 'its name has more than 255 bytes'],
    ['the name __proto__', JSON.parse('{"__proto__":1}'), "The header '__proto__' cannot be sent"],
    [
      'the name __proto__ inside',
      { h: JSON.parse('{"__proto__":1}') as unknown },
      "The header 'h.__proto__' cannot be sent",
    ],
    ["the name '!' inside", { h: { '!': 'long', value: 1 } }, "The header 'h.!' cannot be sent"],
    ['CC', { CC: 'x' }, "The header 'CC' cannot be sent: the name is reserved, since RabbitMQ routes a copy"],
    ['BCC', { BCC: ['x'] }, "The header 'BCC' cannot be sent: the name is reserved"],
    ['sharding_key', { sharding_key: 'x' }, 'give that as shardingKey'],
    [
      'what throws when it is read',
      { ok: 1, h: { inner: [Object.defineProperty({}, 'x', { enumerable: true, get: throws })] } },
      "The header 'h.inner[0].x' cannot be sent: reading it throws (Error: out of reach)",
    ],
    [
      'the same in a list',
      { h: Object.defineProperty([1, 2], 1, { get: throws }) },
      "The header 'h[1]' cannot be sent: reading it throws",
    ],
    ['headers in a map', new Map([['h', 1]]), 'The headers must be an object of names and values'],
  ])('%s', async (_name, headers, text) => {
    const { refusal } = await publisher();
    const error = await refusal('x', { shardingKey: 'k', headers });
    expect(error).toMatchObject({ name: 'InvalidMessageError', code: 'invalid_message' });
    expect(error.message).toContain(text);
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
    await expect(
      serviceOf(app).handleMessage('k', { payload: 1, headers: headers as MessageHeaders }),
    ).rejects.toMatchObject({ code: 'invalid_message', message: error.message });
  });
});

describe('a header arrives equal, and as a copy:', () => {
  test.each<[string, () => unknown, unknown?]>([
    ['text', () => 'Ærøskøbing 🜁 \ufffd'],
    ['an integer', () => -7],
    ['a large integer', () => Number.MAX_SAFE_INTEGER],
    ['a fraction', () => 0.1],
    ['a number beyond the exact ones', () => 2 ** 60],
    ['a negative zero', () => -0, 0],
    ['a small bigint', () => 5n, 5],
    ['a bigint of 64 bits', () => 2n ** 63n - 1n],
    ['true', () => true],
    ['null', () => null],
    ['nothing', () => undefined],
    ['bytes', () => Uint8Array.of(1, 255), Buffer.of(1, 255)],
    ['a buffer', () => Buffer.of(1, 255)],
    ['a list', () => [1, ['a', null]]],
    ['a table', () => ({ a: { b: [1, { c: 2n ** 60n }] } })],
    ['a table without a prototype', () => Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ['bytes inside', () => ({ list: [Buffer.of(1)] })],
    ['what lies 32 deep', () => nested(32)],
  ])('%s', async (_name, make, expected = make()) => {
    const header = make() as HeaderValue;
    const headers = { header };
    const app = await startApp({
      imports: [MississippiModule.forRoot({ failurePolicy: { attempts: 2, backoff: { initial: 0, max: 0 } } })],
      providers: [Spoiling],
    });
    const twice = firstValueFrom(serviceOf(app).events.pipe(filter(({ type }) => type === 'deadLettered')));
    const published = producerOf(app).publish('x', { shardingKey: 'k', headers });
    spoil(header);
    delete (headers as Partial<typeof headers>).header;
    await published;
    await twice;
    expect(Spoiling.seen.splice(0)).toStrictEqual([expected, expected]);
  });

  test('of a direct message too', async () => {
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Keeping] });
    const headers = { list: [1] };
    const handled = serviceOf(app).handleMessage('k', { payload: 1, headers });
    headers.list.push(2);
    await handled;
    expect(contexts[0]!.headers).toEqual({ list: [1] });
  });
});

test('what a codec encodes and decodes is copied, though it gives its own bytes away', async () => {
  const bytes = Buffer.from('abc');
  const codec: PayloadCodec = { encode: () => bytes, decode: (body) => body };
  const app = await startApp({
    imports: [
      MississippiModule.forRoot({ payload: codec, failurePolicy: { attempts: 2, backoff: { initial: 0, max: 0 } } }),
    ],
    providers: [SpoilingPayload],
  });
  const dead = next(serviceOf(app), 'deadLettered');
  const published = producerOf(app).publish('x', { shardingKey: 'k' });
  bytes.fill(0);
  await published;
  await dead;
  expect(SpoilingPayload.seen).toEqual(['abc', 'abc']);
});

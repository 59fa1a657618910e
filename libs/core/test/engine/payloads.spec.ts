import { Transform } from 'class-transformer';
import { IsInt, Min, Validate, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import {
  NOTE_HEADERS,
  PayloadEncodeError,
  PayloadInvalidError,
  type PayloadCodec,
  type PayloadFormat,
} from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { settled } from '../support/fake-clock.js';
import { Gates } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

class Reading {
  @IsInt()
  @Min(0)
  @Transform(({ value }: { value: unknown }) => (value === 'zero' ? 0 : value))
  value!: number;
}

const reversed: PayloadCodec = {
  encode: (payload) => Buffer.from(String(payload)).toReversed(),
  decode: (body) => Buffer.from(body.toReversed()).toString(),
};

/** An engine that notes its payloads. */
async function startNoting(payload?: PayloadFormat) {
  const seen: unknown[] = [];
  const engine = await startEngine(
    { handleMessage: (arrived) => void seen.push(arrived) },
    { memory: { totalCount: 1 }, ...(payload === undefined ? {} : { payload }) },
  );
  const { broker } = engine.transport;
  const inject = async (body: string | Uint8Array): Promise<void> => {
    const bytes = Buffer.from(body as Uint8Array);
    broker.inject(0, { key: encodeShardingKey('k'), body: bytes, messageId: 'm', timestamp: undefined });
    await settled();
  };
  return { seen, broker, inject, ...engine };
}

test.each<[string, PayloadFormat | undefined, unknown, unknown]>([
  ['JSON, by default', undefined, { a: [1, null, 'ü'] }, { a: [1, null, 'ü'] }],
  ['text', 'text', 'Grüße', 'Grüße'],
  ['bytes', 'bytes', Uint8Array.of(0, 255), Buffer.from([0, 255])],
  ['a codec of one’s own', reversed, 'abc', 'abc'],
  ['a class', Reading, { value: 3 }, Object.assign(new Reading(), { value: 3 })],
  ['a class, transformed', Reading, { value: 'zero' }, Object.assign(new Reading(), { value: 0 })],
])('payloads travel as %s', async (_, format, published, arrived) => {
  const { send, seen } = await startNoting(format);
  await send('k', published);
  expect(seen).toEqual([arrived]);
});

test('a payload class gives instances of the class', async () => {
  const { send, seen } = await startNoting(Reading);
  await send('k', { value: 3 });
  expect(seen[0]).toBeInstanceOf(Reading);
});

test.each<[string, PayloadFormat, string | Uint8Array]>([
  ['JSON', 'json', '{'],
  ['JSON that is no UTF-8', 'json', Uint8Array.of(34, 255, 34)],
  ['text that is no UTF-8', 'text', Uint8Array.of(255)],
  [
    'a codec that throws',
    {
      encode: () => Buffer.alloc(0),
      decode: () => {
        throw new Error('no');
      },
    },
    'x',
  ],
  ['a class of which the JSON is broken', Reading, '{'],
])('what cannot be decoded is dead-lettered as payload_undecodable: %s', async (_, format, body) => {
  const { inject, seen, broker } = await startNoting(format);
  await inject(body);
  expect(seen).toEqual([]);
  expect(broker.deadLetters).toMatchObject([{ headers: { [NOTE_HEADERS.reason]: 'payload_undecodable' } }]);
});

describe('a codec may take its time to decode', () => {
  const rejects = { encode: () => Buffer.alloc(1), decode: () => Promise.reject(new Error('no')) };
  /** A thenable that is no promise: its `then` returns nothing. */
  const foreign = (settle: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void): unknown => ({
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => settle(resolve, reject),
  });
  const never = () => Buffer.alloc(1);

  test.each<[string, PayloadCodec]>([
    ['a promise', { encode: never, decode: () => Promise.resolve('read') }],
    ['a thenable', { encode: never, decode: () => foreign((resolve) => setImmediate(() => resolve('read'))) }],
  ])('%s is awaited before the handler is called', async (_, format) => {
    const { inject, seen, broker } = await startNoting(format);
    await inject('x');
    await settled();
    expect(seen).toEqual(['read']);
    expect(broker.length).toBe(0);
  });

  test.each<[string, PayloadCodec]>([
    ['a promise that rejects', rejects],
    ['a thenable that rejects', { encode: never, decode: () => foreign((_, reject) => reject(new Error('no'))) }],
    [
      'a thenable that throws',
      {
        encode: never,
        decode: () =>
          foreign(() => {
            throw new Error('no');
          }),
      },
    ],
  ])('what cannot be decoded is dead-lettered as payload_undecodable, without a retry: %s', async (_, format) => {
    const { inject, seen, broker, of } = await startNoting(format);
    await inject('x');
    expect(seen).toEqual([]);
    expect(of('retried')).toEqual([]);
    expect(broker.deadLetters).toMatchObject([
      {
        headers: {
          [NOTE_HEADERS.reason]: 'payload_undecodable',
          [NOTE_HEADERS.error]: expect.stringMatching(/cannot be decoded: Error: no/) as unknown,
        },
      },
    ]);
  });

  test('what the handler throws after that is a failed attempt all the same', async () => {
    const { publish, of } = await startEngine(
      { handleMessage: () => Promise.reject(new Error('handler')) },
      { payload: { encode: never, decode: () => Promise.resolve(1) } },
    );
    await publish('k', 'a');
    await settled();
    expect(of('retried')).toMatchObject([{ error: { message: 'handler' } }]);
  });

  test('to encode it may not: publish is refused with a typed error, and a rejection ends nothing', async () => {
    for (const encode of [() => Promise.resolve(Buffer.alloc(1)), () => Promise.reject(new Error('no'))]) {
      const codec = { encode: encode as unknown as PayloadCodec['encode'], decode: () => 1 };
      const { publish, broker } = await startNoting(codec);
      const error: unknown = await publish('k', 1).catch((refusal: unknown) => refusal);
      expect(error).toBeInstanceOf(PayloadEncodeError);
      expect(String(error)).toContain('encode of the codec must return a Uint8Array at once, not a promise');
      await settled(); // An unhandled rejection would have ended the test by now.
      expect(broker.length).toBe(0);
    }
  });
});

test('a validator that fails has not judged the payload: the attempt has failed, and is tried again', async () => {
  let checks = 0;
  @ValidatorConstraint({ async: true })
  class Known implements ValidatorConstraintInterface {
    async validate(): Promise<boolean> {
      if (++checks === 1) throw new Error('the database is away');
      return true;
    }
  }
  class Asked {
    @Validate(Known)
    value!: number;
  }
  const { inject, seen, of, clock } = await startNoting(Asked);
  await inject('{"value":1}');
  expect(of('retried')).toMatchObject([{ error: { message: 'the database is away' } }]);
  await clock.advance(1_000);
  expect(seen).toEqual([{ value: 1 }]);
});

test.each(['{"value":-1}', '{"value":"x"}', '{}', 'null', '[]', '7'])(
  'what does not validate is dead-lettered as payload_invalid: %s',
  async (body) => {
    const { inject, seen, broker, of } = await startNoting(Reading);
    await inject(body);
    expect(seen).toEqual([]);
    expect(of('retried')).toEqual([]);
    expect(broker.deadLetters).toMatchObject([
      {
        headers: {
          [NOTE_HEADERS.reason]: 'payload_invalid',
          [NOTE_HEADERS.error]: expect.stringContaining('no valid Reading') as unknown,
        },
      },
    ]);
  },
);

test('a payload that is refused leaves the data updater and its state as they are', async () => {
  const states: unknown[] = [];
  const { send, transport } = await startEngine(
    { init: () => states, handleMessage: (_, state) => void states.push(state) },
    { payload: Reading },
  );
  await send('k', { value: 1 }, { value: -1 }, { value: 2 });
  expect(states).toEqual([states, states]);
  expect(transport.broker.deadLetters).toHaveLength(1);
});

test('payloads are decoded at the turn of their message, not before', async () => {
  const decoded: string[] = [];
  const gates = new Gates();
  const { send } = await startEngine(
    { handleMessage: (payload) => gates.at(String(payload)) },
    {
      payload: {
        encode: (payload) => Buffer.from(String(payload)),
        decode: (body) => decoded[decoded.push(Buffer.from(body).toString()) - 1],
      },
    },
  );
  await send('k', 'a', 'b');
  expect(decoded).toEqual(['a']);
  gates.open('a');
  await settled();
  expect(decoded).toEqual(['a', 'b']);
});

test.each<[string, PayloadFormat, unknown]>([
  ['a function as JSON', 'json', () => 1],
  ['nothing as JSON', 'json', undefined],
  ['a bigint as JSON', 'json', 1n],
  ['a number as text', 'text', 1],
  ['a string as bytes', 'bytes', 'x'],
])('what cannot be encoded rejects publish before anything is sent: %s', async (_, format, payload) => {
  const { publish, broker } = await startNoting(format);
  await expect(publish('k', payload)).rejects.toBeInstanceOf(PayloadEncodeError);
  await settled();
  expect(broker.length).toBe(0);
});

test('a direct message is neither encoded nor decoded, but the payload class is applied', async () => {
  const { service, seen } = await startNoting(Reading);
  await service.handleMessage('k', { payload: { value: 3 } });
  expect(seen[0]).toBeInstanceOf(Reading);
  await expect(service.handleMessage('k', { payload: { value: -3 } })).rejects.toBeInstanceOf(PayloadInvalidError);
  expect(seen).toHaveLength(1);
});

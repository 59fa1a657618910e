import type { HeaderValue } from '@mississippi/core';
import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';

import { reasonOf } from '../src/errors/reason.js';
import { DROPPED_HEADER, KEY_HEADER } from '../src/wire/header-names.js';
import { headerTable, MOST_HEADER_BYTES } from '../src/wire/header-table.js';
import { decodeHeader, encodeHeader, sizeOf } from '../src/wire/header-values.js';
import { RabbitDelivery } from '../src/wire/rabbit-delivery.js';
import { entry, value } from './frames.js';

/** What amqplib makes of a value, as it is written in its source. Throws where that throws. */
function bytesOf(encoded: unknown): Buffer {
  if (typeof encoded === 'string') return value('S', Buffer.from(encoded));
  if (encoded === null) return value('V', Buffer.alloc(0));
  if (typeof encoded === 'boolean') return value('t', Buffer.of(Number(encoded)));
  if (encoded instanceof Uint8Array) return value('x', Buffer.from(encoded));
  if (Array.isArray(encoded)) return value('A', Buffer.concat(encoded.map(bytesOf)));
  const type: unknown = Reflect.get(encoded as object, '!');
  if (type === undefined) {
    return value(
      'F',
      Buffer.concat(Object.entries(encoded as object).map(([name, inner]) => entry(name, bytesOf(inner)))),
    );
  }
  const number: unknown = Reflect.get(encoded as object, 'value');
  const payload = Buffer.alloc(8);
  if (type === 'long') payload.writeBigInt64BE(BigInt(number as number));
  else payload.writeDoubleBE(number as number);
  return value(type === 'long' ? 'l' : 'd', payload);
}

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array(),
);
const name = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => text !== '!' && text !== '__proto__');
const { header } = fc.letrec<{ header: HeaderValue }>((tie) => ({
  header: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('header')), fc.dictionary(name, tie('header'))),
}));

describe('a header', () => {
  test('can be encoded whatever it holds, and takes no more bytes than was counted', () => {
    fc.assert(
      fc.property(header, (made) => {
        expect(bytesOf(encodeHeader(made)).length).toBeLessThanOrEqual(sizeOf(made));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is a whole number only where it is exact', () => {
    expect(encodeHeader(7)).toEqual({ '!': 'long', value: 7 });
    expect(encodeHeader(Number.MIN_SAFE_INTEGER)).toEqual({ '!': 'long', value: Number.MIN_SAFE_INTEGER });
    expect(encodeHeader(2n ** 63n - 1n)).toEqual({ '!': 'long', value: 2n ** 63n - 1n });
    for (const double of [0.5, 2 ** 53, 1e300, Infinity, NaN]) {
      expect(encodeHeader(double)).toEqual({ '!': 'double', value: double });
    }
  });

  test('is read as it was written', () => {
    const made = { text: 'a', list: [1.5, { deep: null }], bytes: Buffer.of(1) };
    expect(decodeHeader(encodeHeader(made))).toEqual(made);
  });
});

describe('the table of headers', () => {
  const big = (size: number): string => 'x'.repeat(size);

  test('holds what was noted, the key and the rest', () => {
    const table = headerTable(Buffer.of(1), { own: 'a', both: 'old' }, { both: 'new' });
    expect(table).toEqual({ both: 'new', [KEY_HEADER]: Buffer.of(1), own: 'a' });
  });

  test('keeps what fits and names what does not', () => {
    const table = headerTable(Buffer.alloc(10), { one: big(40_000), two: big(40_000), three: 3 }, { note: 'why' });
    expect(Object.keys(table)).toEqual(['note', KEY_HEADER, 'one', 'three', DROPPED_HEADER]);
    expect(table[DROPPED_HEADER]).toBe('two');
  });

  test('drops a key that does not fit, but no note', () => {
    const table = headerTable(Buffer.alloc(70_000), { own: 1 }, { note: 'why' });
    expect(table).toEqual({ note: 'why', own: encodeHeader(1), [DROPPED_HEADER]: KEY_HEADER });
  });

  test('drops names that are too long, inside tables too, and lists only as many as there is room for', () => {
    const long = big(256);
    const table = headerTable(undefined, { [long]: 1, table: { [long]: 1 }, fine: { [big(255)]: true } });
    expect(Object.keys(table)).toEqual(['fine', DROPPED_HEADER]);
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${big(300)}${index}`, 1]));
    expect(Buffer.byteLength(String(headerTable(undefined, many)[DROPPED_HEADER]))).toBeLessThanOrEqual(1_000);
  });

  test('always fits into what amqplib can encode', () => {
    const headers = fc.dictionary(
      fc.string({ maxLength: 300, unit: 'grapheme' }).filter((text) => text !== '__proto__'),
      fc.oneof(header, fc.integer({ min: 0, max: 70_000 }).map(big)),
    );
    fc.assert(
      fc.property(fc.option(fc.uint8Array({ maxLength: 20_000 })), headers, headers, (key, kept, added) => {
        const table = headerTable(key ?? undefined, kept, added);
        expect(bytesOf(table).length).toBeLessThanOrEqual(65_536 - 1_000);
      }),
    );
  });

  test('of a copy holds all that a publisher may send, beside notes of 4 KB', () => {
    const key = Buffer.alloc(16_384);
    const own = { own: big(MOST_HEADER_BYTES - key.length - 14) };
    expect(sizeOf(own) + key.length).toBe(MOST_HEADER_BYTES);
    const note = { note: big(4_096 - 15) };
    expect(sizeOf(note)).toBe(4_096);
    expect(Object.keys(headerTable(key, own, note))).toEqual(['note', KEY_HEADER, 'own']);
  });
});

describe('a delivery', () => {
  function delivery(properties: object): RabbitDelivery {
    const message = { fields: { deliveryTag: 7, redelivered: true }, properties, content: Buffer.from('body') };
    return new RabbitDelivery(message as ConsumeMessage, false);
  }

  test('has its key apart from its headers', () => {
    const made = delivery({ headers: { [KEY_HEADER]: Buffer.of(131, 97, 1), own: { '!': 'timestamp', value: 5 } } });
    expect(made.key).toEqual(Buffer.of(131, 97, 1));
    expect(made.headers).toEqual({ own: 5 });
    expect(made).toMatchObject({ redelivered: true, tag: 7, messageId: undefined, timestamp: undefined });
  });

  test('keeps a sharding_key that is no bytes among its headers', () => {
    const made = delivery({ headers: { [KEY_HEADER]: 'text' } });
    expect(made.key).toBeUndefined();
    expect(made.headers).toEqual({ [KEY_HEADER]: 'text' });
  });

  test('has no id and no timestamp that could not be written again', () => {
    const made = delivery({ messageId: '\ufffd'.repeat(255), timestamp: 2 ** 64 });
    expect(made).toMatchObject({ messageId: undefined, timestamp: undefined, headers: {} });
  });
});

describe('an error about the broker', () => {
  test('shows no credentials', () => {
    const cause = new Error('cannot reach amqp://user:s3cret@host/v, nor amqps://s3cret@other');
    expect(reasonOf(cause)).toBe('cannot reach amqp://host/v, nor amqps://other');
    expect(reasonOf(new Error('at amqp://user:s3c/ret@host'))).toBe('at amqp://host');
  });

  test('names one reason of several, or the code where there is no text', () => {
    expect(reasonOf(new AggregateError([new Error('first'), new Error('second')]))).toBe('first');
    expect(reasonOf(Object.assign(new Error(''), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
    expect(reasonOf('text')).toBe('text');
  });
});

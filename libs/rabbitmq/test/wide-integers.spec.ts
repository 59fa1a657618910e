import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { BYTES_OCTET, KeyOctetChanger, STRING_OCTET } from '../src/wire/key-octet.js';
import { headersOf } from '../src/wire/frame-table.js';
import { decodeHeader } from '../src/wire/header-values.js';
import { widen } from '../src/wire/wide-integers.js';
import { bodyFrame, entry, headerFrame, methodFrame, value } from './frames.js';

const require = createRequire(import.meta.url);
/** What amqplib reads a table with, which it exports to nobody. */
const { decodeFields } = require(join(dirname(require.resolve('amqplib')), 'lib/codec.js')) as {
  decodeFields: (bytes: Buffer) => Record<string, unknown>;
};

const integer = (number: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(number);
  return value('l', bytes);
};

/** What a handler sees of the headers in a frame, after amqplib has read it. */
function read(frame: Buffer): unknown {
  const changer = new KeyOctetChanger(STRING_OCTET, BYTES_OCTET, true);
  const whole = changer.push(Buffer.from(frame))!;
  const bytes = changer.takeWide() ? widen(whole) : whole;
  expect(bytes.readUInt32BE(3)).toBe(bytes.length - 8);
  const { start, end } = headersOf(bytes, 7, bytes.length - 1)!;
  return decodeHeader(decodeFields(bytes.subarray(start, end)));
}

describe('an integer of 64 bits', () => {
  test('is a number where a number holds it for certain, else a bigint, exactly', () => {
    const limit = 2n ** 53n;
    const numbers = [0n, 1n, -1n, 7n, -7n, limit - 1n, 1n - limit, 2n ** 31n, -(2n ** 31n)];
    const wide = [limit, -limit, limit + 1n, -limit - 1n, 2n ** 62n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    for (const number of numbers)
      expect(read(headerFrame([entry('n', integer(number))]))).toEqual({ n: Number(number) });
    for (const number of wide) expect(read(headerFrame([entry('n', integer(number))]))).toEqual({ n: number });
  });

  test('is exact in lists and tables, and leaves what is around it alone', () => {
    const [odd, small] = [integer(2n ** 60n + 1n), integer(5n)];
    const frame = headerFrame([
      entry('before', value('S', Buffer.from('text'))),
      entry('list', value('A', Buffer.concat([small, odd, value('A', odd), value('V', Buffer.alloc(0))]))),
      entry('table', value('F', Buffer.concat([entry('in', odd), entry('small', small)]))),
      entry('after', small),
    ]);
    const n = 2n ** 60n + 1n;
    expect(read(frame)).toEqual({
      before: 'text',
      list: [5, n, [n], null],
      table: { in: n, small: 5 },
      after: 5,
    });
  });

  test('is exact whatever it is', () => {
    const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(any, (number) => {
        const { n } = read(headerFrame([entry('n', integer(number))])) as { n: number | bigint };
        expect(BigInt(n)).toBe(number);
      }),
    );
  });

  test('leaves other frames as they are', () => {
    const others = [
      methodFrame(),
      headerFrame([entry('n', integer(5n))]),
      headerFrame(undefined),
      bodyFrame(Buffer.from('body')),
    ];
    const bytes = Buffer.concat(others);
    expect(widen(bytes)).toEqual(bytes);
  });

  test('stays inexact where the frame would grow too large', () => {
    const entries = Array.from({ length: 5_000 }, (_, index) => entry(String(index), integer(2n ** 60n)));
    expect(read(headerFrame(entries))).toMatchObject({ 0: 2 ** 60 });
  });
});

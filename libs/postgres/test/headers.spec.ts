import fc from 'fast-check';
import type { HeaderValue, MessageHeaders } from '@mississippi/core';
import { decodeHeaders, encodeHeaders } from '../src/values/headers.js';

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array(),
);
const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('$', '$$', '__proto__', 'constructor'));
const { value } = fc.letrec<{ value: HeaderValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
  ),
}));

describe('headers', () => {
  test('of every kind come back equal', () => {
    const headers = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs));
    fc.assert(
      fc.property(headers as fc.Arbitrary<MessageHeaders>, (given) => {
        expect(decodeHeaders(encodeHeaders(given)).headers).toEqual(given);
        const properties = { type: 'booked', appId: '$' };
        expect(decodeHeaders(encodeHeaders(given, properties))).toEqual({ headers: given, properties });
      }),
      { numRuns: 500 },
    );
  });

  test('can be read by people', () => {
    const headers = { trace: 'a', attempts: 2, body: Buffer.from('x'), big: 2n ** 70n, missing: NaN };
    expect(String(encodeHeaders(headers))).toBe(
      '{"trace":"a","attempts":2,"body":{"$":["bytes","eA=="]},"big":{"$":["bigint","1180591620717411303424"]},"missing":{"$":["number","NaN"]}}',
    );
  });
});

import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { canonicalize, encodeTerm, ErlangAtom, ErlangFloat, ErlangTuple, type Term } from '@mississippi/terms';
import { anyTerm } from './arbitrary.js';

const roomy = { maxBytes: 1_000_000 };

function compressed(bytes: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length - 1);
  return Uint8Array.from(Buffer.concat([Buffer.from([131, 80]), size, deflateSync(bytes.subarray(1))]));
}

describe('the canonical form', () => {
  test('of encoded terms is what encodeTerm wrote, but for -0.0', () => {
    fc.assert(
      fc.property(anyTerm, (term) => {
        const bytes = encodeTerm(term, roomy);
        const canonical = canonicalize(bytes, roomy);
        if (!holdsNegativeZero(bytes)) expect(canonical).toEqual(bytes);
        expect(canonicalize(canonical, roomy)).toEqual(canonical);
      }),
      { numRuns: 300 },
    );
  });

  test('does not depend on the order in which a map was filled', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string(), fc.integer()), { selector: ([key]) => key, maxLength: 60 }),
        (pairs) => {
          expect(encodeTerm(new Map(pairs.toReversed()), roomy)).toEqual(encodeTerm(new Map(pairs), roomy));
          expect(encodeTerm(new Map(pairs), roomy)).toEqual(encodeTerm(Object.fromEntries(pairs), roomy));
        },
      ),
    );
  });

  test('keeps binaries, valid UTF-8 or not, byte for byte and without a copy', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (content) => {
        const bytes = encodeTerm(content);
        expect(canonicalize(bytes)).toBe(bytes);
        const inTuple = encodeTerm(new ErlangTuple([content]));
        expect(canonicalize(inTuple)).toEqual(inTuple);
      }),
      { numRuns: 1_000 },
    );
  });

  test('of integers in their shortest form is the same array', () => {
    for (const value of [0, 255, 256, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const bytes = encodeTerm(value);
      expect(canonicalize(bytes)).toBe(bytes);
    }
  });

  test.each<[string, number[], Term]>([
    ['a byte as a 32-bit integer', [98, 0, 0, 0, 7], 7],
    ['a byte as a big integer', [110, 2, 0, 7, 0], 7],
    ['a small number as a large big integer', [111, 0, 0, 0, 1, 0, 7], 7],
    ['minus zero', [110, 0, 1], 0],
    ['an atom in Latin-1', [100, 0, 1, 0xe9], new ErlangAtom('é')],
    ['an atom in the long UTF-8 form', [118, 0, 2, 0xc3, 0xa9], new ErlangAtom('é')],
    ['bytes as a list', [108, 0, 0, 0, 2, 97, 1, 97, 2, 106], [1, 2]],
    ['no bytes as a string', [107, 0, 0], []],
    ['a list in two parts', [108, 0, 0, 0, 1, 97, 1, 108, 0, 0, 0, 1, 97, 2, 106], [1, 2]],
    ['a small tuple in the large form', [105, 0, 0, 0, 1, 97, 1], new ErlangTuple([1])],
    ['a float as text', [99, ...Buffer.from('1.00000000000000000000e+00'.padEnd(31, '\0'))], new ErlangFloat(1)],
    ['-0.0', [70, 128, 0, 0, 0, 0, 0, 0, 0], new ErlangFloat(0)],
    [
      'an unsorted map',
      [116, 0, 0, 0, 2, 97, 2, 97, 0, 97, 1, 97, 0],
      new Map([
        [1, 0],
        [2, 0],
      ]),
    ],
  ])('has one spelling for %s', (_, bytes, term) => {
    expect(canonicalize(Uint8Array.of(131, ...bytes))).toEqual(encodeTerm(term));
  });

  test('of a compressed term is that of the plain one', () => {
    const plain = encodeTerm(new ErlangTuple(['a'.repeat(200), 1]));
    expect(canonicalize(compressed(plain))).toEqual(plain);
  });

  test('keeps 1 and 1.0 two keys, alone and inside of terms', () => {
    expect(canonicalize(encodeTerm(1))).not.toEqual(canonicalize(encodeTerm(new ErlangFloat(1))));
    expect(encodeTerm([1, 'a'])).not.toEqual(encodeTerm([new ErlangFloat(1), 'a']));
    const both = new Map<Term, Term>([
      [new ErlangFloat(1), 'a'],
      [1, 'b'],
    ]);
    expect(canonicalize(encodeTerm(both))).toEqual(encodeTerm(both));
  });

  test('sorts keys as Erlang does: by type, then by value', () => {
    const inOrder: readonly Term[] = [
      -(2n ** 70n),
      -1,
      0,
      2n ** 70n,
      new ErlangFloat(-1e300),
      0.5,
      new ErlangFloat(1),
      new ErlangAtom(''),
      new ErlangAtom('a'),
      false,
      new ErlangAtom('\uFFFF'),
      new ErlangAtom('\u{10000}'),
      new ErlangTuple([]),
      new ErlangTuple([9]),
      new ErlangTuple([1, 1]),
      new ErlangTuple([1, 2]),
      {},
      { b: 1 },
      { a: 1, b: 1 },
      { a: 1, b: 2 },
      { a: 0, c: 0 },
      [],
      [1],
      [1, 1],
      [2],
      '',
      'a',
      'aa',
      'b',
      '\uFFFF',
      '\u{10000}',
      Uint8Array.of(0xff),
    ];
    const keys = (terms: readonly Term[]) => encodeTerm(new Map(terms.map((term) => [term, 0])));
    const expected = Buffer.concat(
      inOrder.map((term) => Buffer.concat([encodeTerm(term).subarray(1), Buffer.from([97, 0])])),
    );
    for (const order of [inOrder, inOrder.toReversed(), [...inOrder.slice(13), ...inOrder.slice(0, 13)]]) {
      expect(Buffer.from(keys(order)).subarray(6).equals(expected)).toBe(true);
    }
  });
});

function holdsNegativeZero(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from([70, 128, 0, 0, 0, 0, 0, 0, 0]));
}

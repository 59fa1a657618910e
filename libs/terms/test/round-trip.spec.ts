import * as fc from 'fast-check';
import {
  canonicalize,
  decodeTerm,
  encodeTerm,
  ErlangAtom,
  ErlangBitstring,
  ErlangFloat,
  ErlangImproperList,
  ErlangTuple,
  phash2,
  phash2Encoded,
  type Term,
} from '@mississippi/terms';
import { anyTerm, text } from './arbitrary.js';

const roomy = { maxBytes: 1_000_000 };

describe('encoding and decoding', () => {
  test('give the same bytes and the same hash again, for any term', () => {
    fc.assert(
      fc.property(anyTerm, (term) => {
        const bytes = encodeTerm(term, roomy);
        const decoded = decodeTerm(bytes, roomy);
        expect(encodeTerm(decoded, roomy)).toEqual(bytes);
        expect(phash2(decoded, 2 ** 32)).toBe(phash2(term, 2 ** 32));
        expect(phash2Encoded(bytes, 2 ** 32)).toBe(phash2(term, 2 ** 32));
      }),
      { numRuns: 500 },
    );
  });

  test('keep text and bytes exactly', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(decodeTerm(encodeTerm(value))).toBe(value);
        expect(Buffer.from(encodeTerm(value)).subarray(6).equals(Buffer.from(value))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (value) => {
        const decoded = decodeTerm(encodeTerm(value));
        expect(typeof decoded === 'string' ? new Uint8Array(Buffer.from(decoded)) : decoded).toEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test('keep a byte order mark', () => {
    expect(decodeTerm(Uint8Array.of(131, 109, 0, 0, 0, 4, 0xef, 0xbb, 0xbf, 0x61))).toBe('\uFEFFa');
    expect(encodeTerm('\uFEFFa')).toEqual(Uint8Array.of(131, 109, 0, 0, 0, 4, 0xef, 0xbb, 0xbf, 0x61));
  });

  test('hand out memory of their own', () => {
    const wire = Buffer.from([131, 109, 0, 0, 0, 2, 0xff, 0xfe]);
    const decoded = decodeTerm(wire) as Uint8Array;
    wire.fill(0);
    expect(decoded).toEqual(Uint8Array.of(0xff, 0xfe));
    expect(decoded.buffer.byteLength).toBe(2);
    expect(encodeTerm('user_1').buffer.byteLength).toBe(12);
  });
});

describe('what JavaScript values are to Erlang', () => {
  test.each<[string, Term, number[]]>([
    ['a string', 'a', [109, 0, 0, 0, 1, 97]],
    ['bytes', Uint8Array.of(255), [109, 0, 0, 0, 1, 255]],
    ['a Buffer', Buffer.from([255]), [109, 0, 0, 0, 1, 255]],
    ['a small integer', 255, [97, 255]],
    ['a bigint', 255n, [97, 255]],
    ['-0', -0, [97, 0]],
    ['a negative integer', -1, [98, 255, 255, 255, 255]],
    ['an integer of more than 32 bits', 2 ** 31, [110, 4, 0, 0, 0, 0, 128]],
    ['a safe integer', Number.MIN_SAFE_INTEGER, [110, 7, 1, 255, 255, 255, 255, 255, 255, 31]],
    ['a fraction', 1.5, [70, 63, 248, 0, 0, 0, 0, 0, 0]],
    ['an unsafe number', 2 ** 53, [70, 67, 64, 0, 0, 0, 0, 0, 0]],
    ['a float with an integer value', new ErlangFloat(1), [70, 63, 240, 0, 0, 0, 0, 0, 0]],
    ['true', true, [119, 4, 116, 114, 117, 101]],
    ['false', false, [119, 5, 102, 97, 108, 115, 101]],
    ['null', null, [119, 3, 110, 105, 108]],
    ['an atom', new ErlangAtom('ok'), [119, 2, 111, 107]],
    ['an empty array', [], [106]],
    ['an array of bytes', [1, 2n], [107, 0, 2, 1, 2]],
    ['an array', [256], [108, 0, 0, 0, 1, 98, 0, 0, 1, 0, 106]],
    ['a tuple', new ErlangTuple([1]), [104, 1, 97, 1]],
    ['an improper list', new ErlangImproperList([1], 2), [108, 0, 0, 0, 1, 97, 1, 97, 2]],
    [
      'an improper list that ends in nil',
      new ErlangImproperList([1], null),
      [108, 0, 0, 0, 1, 97, 1, 119, 3, 110, 105, 108],
    ],
    [
      'an object, its keys in order',
      { b: 1, a: 2 },
      [116, 0, 0, 0, 2, 109, 0, 0, 0, 1, 97, 97, 2, 109, 0, 0, 0, 1, 98, 97, 1],
    ],
    [
      'an object without prototype',
      Object.assign(Object.create(null) as object, { a: 2 }),
      [116, 0, 0, 0, 1, 109, 0, 0, 0, 1, 97, 97, 2],
    ],
    [
      'a Map, integers before floats',
      new Map<Term, Term>([
        [0.5, 2],
        [1, 1],
      ]),
      [116, 0, 0, 0, 2, 97, 1, 97, 1, 70, 63, 224, 0, 0, 0, 0, 0, 0, 97, 2],
    ],
  ])('%s', (_, term, bytes) => {
    expect([...encodeTerm(term)]).toEqual([131, ...bytes]);
  });

  test('an atom of more than 255 bytes takes the long form', () => {
    expect([...encodeTerm(new ErlangAtom('é'.repeat(128)))].slice(0, 4)).toEqual([131, 118, 1, 0]);
    expect(decodeTerm(encodeTerm(new ErlangAtom('é'.repeat(255))))).toEqual(new ErlangAtom('é'.repeat(255)));
  });

  test('tuples of more than 255 elements take the long form', () => {
    const tuple = new ErlangTuple(Array.from({ length: 256 }, (_, i) => i));
    expect([...encodeTerm(tuple)].slice(0, 6)).toEqual([131, 105, 0, 0, 1, 0]);
    expect(decodeTerm(encodeTerm(tuple))).toEqual(tuple);
  });

  test('a list of more than 65,535 bytes is no string', () => {
    const list = Array.from({ length: 65_536 }, () => 7);
    expect(encodeTerm(list.slice(1), roomy)[1]).toBe(107);
    expect(encodeTerm(list, roomy)[1]).toBe(108);
  });

  test('the wrappers cannot be changed', () => {
    const elements: Term[] = [1];
    const tuple = new ErlangTuple(elements);
    elements[0] = 2;
    expect(tuple.elements).toEqual([1]);
    for (const wrapper of [
      tuple,
      tuple.elements,
      new ErlangAtom('a'),
      new ErlangFloat(1),
      new ErlangImproperList([1], 2),
    ]) {
      expect(Object.isFrozen(wrapper)).toBe(true);
    }
  });

  test('a bit string has its unused bits cleared', () => {
    const bitstring = new ErlangBitstring(Uint8Array.of(0xff), 3);
    expect([...encodeTerm(bitstring, { bitstrings: true })]).toEqual([131, 77, 0, 0, 0, 1, 3, 0xe0]);
  });
});

describe('what Erlang terms are to JavaScript', () => {
  test.each<[string, number[], Term]>([
    ['safe integers are numbers', [110, 7, 0, 255, 255, 255, 255, 255, 255, 31], Number.MAX_SAFE_INTEGER],
    ['others are bigints', [110, 7, 0, 0, 0, 0, 0, 0, 0, 32], 2n ** 53n],
    ['negative ones too', [110, 7, 1, 0, 0, 0, 0, 0, 0, 32], -(2n ** 53n)],
    ['integers in a long form', [111, 0, 0, 0, 9, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0], -5],
    ['a zero without digits', [110, 0, 1], 0],
    ['floats with a fraction are numbers', [70, 63, 248, 0, 0, 0, 0, 0, 0], 1.5],
    ['other floats are wrapped', [70, 63, 240, 0, 0, 0, 0, 0, 0], new ErlangFloat(1)],
    ['-0.0 keeps its sign', [70, 128, 0, 0, 0, 0, 0, 0, 0], new ErlangFloat(-0)],
    ['old floats', [99, ...Buffer.from('1.50000000000000000000e+00'.padEnd(31, '\0'))], 1.5],
    ['old atoms in Latin-1', [100, 0, 1, 0xe9], new ErlangAtom('é')],
    ['short atoms in Latin-1', [115, 1, 0xe9], new ErlangAtom('é')],
    ['undefined is an atom', [119, 9, ...Buffer.from('undefined')], new ErlangAtom('undefined')],
    ['nil is null', [100, 0, 3, 110, 105, 108], null],
    ['maps are Maps', [116, 0, 0, 0, 1, 109, 0, 0, 0, 1, 97, 97, 2], new Map([['a', 2]])],
    ['a list in a tail is part of the list', [108, 0, 0, 0, 1, 97, 1, 107, 0, 1, 2], [1, 2]],
    [
      'an improper list in a tail is too',
      [108, 0, 0, 0, 1, 97, 1, 108, 0, 0, 0, 1, 97, 2, 97, 3],
      new ErlangImproperList([1, 2], 3),
    ],
    ['a list of no elements is its tail', [108, 0, 0, 0, 0, 97, 9], 9],
  ])('%s', (_, bytes, term) => {
    expect(decodeTerm(Uint8Array.of(131, ...bytes))).toStrictEqual(term);
  });

  test('a key named __proto__ is a key like any other', () => {
    const wire = encodeTerm(new Map<Term, Term>([['__proto__', new Map([['polluted', true]])]]));
    const decoded = decodeTerm(wire) as ReadonlyMap<Term, Term>;
    expect(decoded.get('__proto__')).toEqual(new Map([['polluted', true]]));
    expect('polluted' in {}).toBe(false);
    expect(encodeTerm(decoded)).toEqual(wire);
    expect(canonicalize(wire)).toEqual(wire);
    expect(encodeTerm(JSON.parse('{"__proto__":{"polluted":true}}') as Term)).toEqual(wire);
  });
});

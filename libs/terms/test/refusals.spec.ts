import {
  encodeTerm,
  ErlangAtom,
  ErlangBitstring,
  ErlangFloat,
  ErlangImproperList,
  ErlangTuple,
  phash2,
  TermEncodeError,
  TermError,
  TermTooLargeError,
  type Term,
} from '@mississippi/terms';

/** What a caller without types might pass. */
const asTerm = (value: unknown): Term => value as Term;

function nested(levels: number): Term {
  let term: Term = 1;
  for (let i = 0; i < levels; i++) term = [term];
  return term;
}

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

const holey: unknown[] = [];
holey[1] = 1;

describe('what is no term is refused, with its place', () => {
  test.each<[string, unknown, string, string]>([
    ['undefined', undefined, 'unsupported_type', '$'],
    ['undefined in an object', { a: { b: undefined } }, 'unsupported_type', '$.a.b'],
    ['a hole in an array', holey, 'unsupported_type', '$[0]'],
    ['a function', () => 1, 'unsupported_type', '$'],
    ['a symbol', [Symbol('s')], 'unsupported_type', '$[0]'],
    ['a symbol as a key', { [Symbol('s')]: 1 }, 'unsupported_type', '$'],
    ['NaN', [1, [NaN]], 'not_finite', '$[1][0]'],
    ['Infinity', { 'a b': Infinity }, 'not_finite', '$["a b"]'],
    ['-Infinity', -Infinity, 'not_finite', '$'],
    ['a Date', new Date(0), 'unsupported_type', '$'],
    ['a Set', new Set([1]), 'unsupported_type', '$'],
    ['a RegExp', /a/, 'unsupported_type', '$'],
    ['an Error', new Error('x'), 'unsupported_type', '$'],
    ['a Promise', Promise.resolve(1), 'unsupported_type', '$'],
    ['a boxed string', Object('a'), 'unsupported_type', '$'],
    ['an instance of a class', new (class Device {})(), 'unsupported_type', '$'],
    ['another typed array', Uint16Array.of(1), 'unsupported_type', '$'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'unsupported_type', '$'],
    ['a lone surrogate', 'a\uD800', 'lone_surrogate', '$'],
    ['a lone low surrogate', ['\uDC00a'], 'lone_surrogate', '$[0]'],
    ['surrogates in the wrong order', '\uDC00\uD800', 'lone_surrogate', '$'],
    ['a lone surrogate in a key', { '\uD800': 1 }, 'lone_surrogate', '$.key()'],
    ['undefined as a key', new Map([[undefined, 1]]), 'unsupported_type', '$.key()'],
    ['a function as a value', new Map([[1, () => 1]]), 'unsupported_type', '$.value()'],
    ['undefined in a tuple', new ErlangTuple([asTerm(undefined)]), 'unsupported_type', '$[0]'],
    ['a symbol in an improper list', new ErlangImproperList([1, asTerm(Symbol('s'))], 2), 'unsupported_type', '$[1]'],
    ['a symbol as a tail', new ErlangImproperList([1], asTerm(Symbol('s'))), 'unsupported_type', '$.tail'],
    ['a bit string', [new ErlangBitstring(Uint8Array.of(1), 1)], 'bitstring_refused', '$[0]'],
  ])('%s', (_, value, code, path) => {
    const error = caught(() => encodeTerm(asTerm(value)));
    expect(error).toBeInstanceOf(TermEncodeError);
    expect(error).toBeInstanceOf(TermError);
    expect(error).toMatchObject({ name: 'TermEncodeError', code, path });
    expect(String(error)).toContain(path);
    if (code !== 'bitstring_refused') expect(caught(() => phash2(asTerm(value)))).toMatchObject({ code, path });
  });

  test('cycles', () => {
    const array: unknown[] = [1];
    array.push([array]);
    const object: Record<string, unknown> = {};
    object['self'] = object;
    const map = new Map<unknown, unknown>();
    map.set('m', [map]);
    expect(caught(() => encodeTerm(asTerm(array)))).toMatchObject({ code: 'cycle', path: '$[1][0]' });
    expect(caught(() => encodeTerm(asTerm(object)))).toMatchObject({ code: 'cycle', path: '$.self' });
    expect(caught(() => encodeTerm(asTerm(map)))).toMatchObject({ code: 'cycle', path: '$.m[0]' });
    expect(caught(() => phash2(asTerm(array)))).toMatchObject({ code: 'cycle' });
  });

  test('with a path of bounded length', () => {
    let term: unknown = undefined;
    for (let i = 0; i < 200; i++) term = { ['key'.repeat(10)]: term };
    const error = caught(() => encodeTerm(asTerm(term)));
    expect(error).toMatchObject({ code: 'unsupported_type' });
    expect(String(error).length).toBeLessThan(500);
  });

  test('one value at two places is no cycle', () => {
    const shared = [1000];
    expect(encodeTerm([shared, shared])).toEqual(encodeTerm([[1000], [1000]]));
  });

  test.each<[string, Term, Term]>([
    ['an integer and a bigint', 1, 1n],
    ['a string and its bytes', 'a', Uint8Array.of(97)],
    ['true and its atom', true, new ErlangAtom('true')],
    ['null and its atom', null, new ErlangAtom('nil')],
    ['a number and a wrapped float', 0.5, new ErlangFloat(0.5)],
    ['0.0 and -0.0', new ErlangFloat(0), new ErlangFloat(-0)],
    ['two arrays', [1, 'a'], [1n, Uint8Array.of(97)]],
    ['two empty arrays', [], []],
    ['two tuples', new ErlangTuple([{}]), new ErlangTuple([new Map()])],
    [
      'an object and a Map',
      { a: 1, b: 2 },
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    ['two improper lists', new ErlangImproperList([1], null), new ErlangImproperList([1], new ErlangAtom('nil'))],
  ])('a map with %s as keys', (_, one, other) => {
    const map = new Map<Term, Term>([
      [one, 1],
      ['z', 2],
      [other, 3],
    ]);
    expect(caught(() => encodeTerm(['x', map]))).toMatchObject({
      name: 'TermEncodeError',
      code: 'duplicate_key',
      path: '$[1]',
    });
    expect(caught(() => phash2(map))).toMatchObject({ code: 'duplicate_key' });
  });

  test('1 and 1.0 are two keys', () => {
    expect(
      encodeTerm(
        new Map<Term, Term>([
          [1, 1],
          [new ErlangFloat(1), 2],
        ]),
      ),
    ).toHaveLength(6 + 4 + 11);
  });
});

describe('what is too large is refused', () => {
  test('beyond 16,384 bytes', () => {
    expect(encodeTerm('x'.repeat(16_384 - 6))).toHaveLength(16_384);
    expect(encodeTerm(new Uint8Array(16_384 - 6))).toHaveLength(16_384);
    for (const term of [
      'x'.repeat(16_384 - 5),
      'é'.repeat(8_190),
      new Uint8Array(16_384 - 5),
      [[new Uint8Array(16_384)]],
      2n ** 140_000n,
    ]) {
      const error = caught(() => encodeTerm(term));
      expect(error).toBeInstanceOf(TermTooLargeError);
      expect(error).toMatchObject({ name: 'TermTooLargeError', code: 'too_many_bytes', limit: 16_384 });
    }
  });

  test('beyond 256 levels', () => {
    expect(encodeTerm(nested(256))).toHaveLength(1 + 255 * 6 + 4);
    expect(caught(() => encodeTerm(nested(257)))).toMatchObject({
      name: 'TermTooLargeError',
      code: 'too_deep',
      limit: 256,
    });
    expect(caught(() => phash2(nested(257)))).toMatchObject({ code: 'too_deep' });
  });

  test('by other limits, when given', () => {
    expect(encodeTerm('x'.repeat(20_000), { maxBytes: 20_006 })).toHaveLength(20_006);
    expect(caught(() => encodeTerm('abc', { maxBytes: 8 }))).toMatchObject({ code: 'too_many_bytes', limit: 8 });
    expect(caught(() => encodeTerm([[1]], { maxDepth: 1 }))).toMatchObject({ code: 'too_deep', limit: 1 });
    expect(encodeTerm(nested(1_000), { maxDepth: 1_000 })).toHaveLength(1 + 999 * 6 + 4);
  });

  test('at once, where one array stands at 2^60 places', () => {
    let bomb: Term = [1];
    for (let i = 0; i < 60; i++) bomb = [bomb, bomb];
    expect(caught(() => encodeTerm(bomb))).toMatchObject({ code: 'too_many_bytes' });
  });

  test.each([{ maxBytes: 0 }, { maxBytes: 1.5 }, { maxBytes: NaN }, { maxDepth: 0 }, { maxDepth: 1_001 }])(
    'and %p is no limit',
    (limits) => {
      expect(caught(() => encodeTerm('a', limits))).toMatchObject({ name: 'TermError', code: 'invalid_limit' });
    },
  );
});

describe('wrappers refuse what Erlang does not have', () => {
  test.each<[string, () => unknown, string]>([
    ['an atom of 256 characters', () => new ErlangAtom('x'.repeat(256)), 'atom_too_long'],
    ['an atom with a lone surrogate', () => new ErlangAtom('\uD800'), 'lone_surrogate'],
    ['an atom without text', () => new ErlangAtom(asTerm(1) as string), 'unsupported_type'],
    ['the float NaN', () => new ErlangFloat(NaN), 'not_finite'],
    ['the float Infinity', () => new ErlangFloat(Infinity), 'not_finite'],
    ['an improper list without elements', () => new ErlangImproperList([], 1), 'unsupported_type'],
    ['an improper list with a list as tail', () => new ErlangImproperList([1], []), 'unsupported_type'],
    ['an improper list without a tail', () => new ErlangImproperList([1], asTerm(undefined)), 'unsupported_type'],
    ['a bit string of whole bytes', () => new ErlangBitstring(Uint8Array.of(1), 8), 'unsupported_type'],
    ['a bit string of no bytes', () => new ErlangBitstring(new Uint8Array(), 1), 'unsupported_type'],
  ])('%s', (_, make, code) => {
    expect(caught(make)).toMatchObject({ name: 'TermEncodeError', code });
  });

  test('but 255 characters beyond the basic plane are an atom', () => {
    expect(new ErlangAtom('😀'.repeat(255)).name).toHaveLength(510);
  });
});

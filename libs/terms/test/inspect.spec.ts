import * as fc from 'fast-check';
import {
  ErlangAtom,
  ErlangBitstring,
  ErlangFloat,
  ErlangImproperList,
  ErlangTuple,
  inspectTerm,
  type Term,
} from '@mississippi/terms';
import { anyTerm } from './arbitrary.js';

describe('a printed term', () => {
  test.each<[Term, string]>([
    ['user_1', '"user_1"'],
    ['a "b"\n', String.raw`"a \"b\"\n"`],
    [Uint8Array.of(0x66, 0xe2, 0x89), '0x66e289'],
    [-5, '-5'],
    [-0, '0'],
    [2n ** 64n, '18446744073709551616'],
    [1.5, '1.5'],
    [new ErlangFloat(1), '1.0'],
    [new ErlangFloat(-0), '-0.0'],
    [new ErlangFloat(1e300), '1e+300'],
    [true, 'true'],
    [null, 'nil'],
    [new ErlangAtom('ok'), ':ok'],
    [new ErlangAtom('hello world'), ':"hello world"'],
    [[1, [], 'a'], '[1, [], "a"]'],
    [new ErlangImproperList([1, 2], new ErlangAtom('tail')), '[1, 2 | :tail]'],
    [new ErlangTuple(['realm', 1]), '{"realm", 1}'],
    [{ a: 1, b: [2] }, '%{"a" => 1, "b" => [2]}'],
    [new Map<Term, Term>([[1, {}]]), '%{1 => %{}}'],
    [new ErlangBitstring(Uint8Array.of(0xe0), 3), '0xe0:3'],
  ])('%#: %p', (term, text) => {
    expect(inspectTerm(term)).toBe(text);
  });

  test('is never longer than asked for', () => {
    fc.assert(
      fc.property(anyTerm, fc.integer({ min: 1, max: 60 }), (term, length) => {
        expect(inspectTerm(term, length).length).toBeLessThanOrEqual(length);
        expect(inspectTerm(term).length).toBeLessThanOrEqual(200);
      }),
    );
  });

  test('ends with an ellipsis where it was cut, and not inside a character', () => {
    expect(inspectTerm('x'.repeat(300))).toBe(`"${'x'.repeat(198)}…`);
    expect(inspectTerm('😀'.repeat(300), 5)).toBe('"😀…');
  });

  test('of a huge term is cheap', () => {
    const start = performance.now();
    expect(inspectTerm(Array.from({ length: 1_000_000 }, () => 1))).toHaveLength(200);
    expect(inspectTerm(new Uint8Array(10_000_000))).toHaveLength(200);
    expect(inspectTerm(2n ** 1_000_000n)).toBe('#integer of more than 800 bits');
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('names what is no term, and ends in a cycle', () => {
    const cycle: unknown[] = [undefined, Symbol('s'), NaN, () => 1, new Date(0)];
    cycle.push(cycle);
    const text = inspectTerm(cycle as Term);
    expect(text).toMatch(/^\[#undefined, #symbol, NaN, #function, #object, \[#undefined/);
    expect(text).toHaveLength(200);
  });
});

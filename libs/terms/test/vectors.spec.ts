import {
  canonicalize,
  decodeTerm,
  encodeTerm,
  ErlangTuple,
  phash2,
  phash2Encoded,
  TermDecodeError,
} from '@mississippi/terms';
import { holdsBitstring, vectorLimits, vectors, type Vector } from './vectors.js';

/** Erlang does not sort the pairs of a map with more than 32 keys. */
function holdsLargeMap(vector: Vector): boolean {
  return vector.term.split('=>').length > 33;
}

function forms(vector: Vector): readonly Uint8Array[] {
  return [vector.otp25, vector.otp26];
}

describe('terms that Erlang wrote', () => {
  test('there are 518 of them, of every kind', () => {
    expect(vectors).toHaveLength(518);
    expect(new Set(vectors.map(({ kind }) => kind))).toEqual(
      new Set(['binary', 'string', 'integer', 'atom', 'float', 'tuple', 'list', 'map', 'nested']),
    );
  });

  test('are hashed as Erlang hashes them, from both spellings, for every range', () => {
    for (const vector of vectors) {
      for (const [range, hash] of vector.hashes) {
        for (const bytes of forms(vector)) {
          expect([vector.term, range, phash2Encoded(bytes, range)]).toEqual([vector.term, range, hash]);
          expect([vector.term, range, phash2(decodeTerm(bytes, vectorLimits), range)]).toEqual([
            vector.term,
            range,
            hash,
          ]);
        }
      }
      expect(phash2Encoded(vector.otp25)).toBe(vector.hashes.get(2 ** 27));
    }
  });

  test('are encoded to the bytes of OTP 26 again, from both spellings', () => {
    const sorted = vectors.filter((vector) => !holdsLargeMap(vector));
    expect(sorted).toHaveLength(513);
    for (const vector of sorted) {
      for (const bytes of forms(vector)) {
        expect([vector.term, encodeTerm(decodeTerm(bytes, vectorLimits), vectorLimits)]).toEqual([
          vector.term,
          vector.otp26,
        ]);
      }
    }
  });

  test('with large maps are encoded to the same pairs', () => {
    for (const vector of vectors.filter(holdsLargeMap)) {
      const encoded = encodeTerm(decodeTerm(vector.otp25, vectorLimits), vectorLimits);
      expect(encoded).toHaveLength(vector.otp26.length);
      expect(decodeTerm(encoded, vectorLimits)).toEqual(decodeTerm(vector.otp26, vectorLimits));
    }
  });

  test('have one canonical form whichever release wrote them', () => {
    for (const vector of vectors) {
      const canonical = canonicalize(vector.otp26, vectorLimits);
      expect(canonicalize(vector.otp25, vectorLimits)).toEqual(canonical);
      expect(canonicalize(canonical, vectorLimits)).toEqual(canonical);
    }
  });

  test('are told apart by their canonical form, but for 0.0 and -0.0', () => {
    // The kinds overlap: "string" and "nested" repeat terms of other kinds.
    const terms = new Map(vectors.map((vector) => [vector.term, vector]));
    terms.delete('-0.0');
    const canonical = new Set<string>();
    for (const vector of terms.values())
      canonical.add(Buffer.from(canonicalize(vector.otp25, vectorLimits)).toString('hex'));
    const distinct = new Set([...terms.values()].map(({ otp26 }) => Buffer.from(otp26).toString('hex')));
    expect(canonical.size).toBe(distinct.size);
  });

  test('that are or hold bit strings are hashed, but no keys by default', () => {
    const bitstrings = vectors.filter(holdsBitstring);
    expect(bitstrings).toHaveLength(6);
    for (const { otp25 } of bitstrings) {
      expect(() => decodeTerm(otp25)).toThrow(TermDecodeError);
      expect(() => canonicalize(otp25)).toThrow(expect.objectContaining({ code: 'bitstring_refused' }) as Error);
    }
  });
});

describe('phash2', () => {
  test('finds the queue that the Elixir library finds', () => {
    expect(phash2('user_1', 128)).toBe(7);
  });

  test('hashes a string as its UTF-8 bytes, short, long and beyond the basic plane', () => {
    for (const text of [
      '',
      'a',
      'user_1',
      'Zürich',
      '日本',
      '😀'.repeat(3),
      'é'.repeat(255),
      'x'.repeat(257),
      '😀'.repeat(300),
    ]) {
      expect(phash2(text, 2 ** 32)).toBe(phash2(new Uint8Array(Buffer.from(text)), 2 ** 32));
      expect(phash2(new ErlangTuple([text]), 2 ** 32)).toBe(
        phash2Encoded(encodeTerm(new ErlangTuple([text])), 2 ** 32),
      );
    }
  });

  test('takes ranges from 1 to 2^32', () => {
    expect(phash2('user_1', 1)).toBe(0);
    expect(phash2Encoded(encodeTerm('user_1'), 2 ** 32)).toBe(phash2('user_1', 2 ** 32));
  });

  test.each([0, -1, 1.5, NaN, Infinity, 2 ** 32 + 1])('refuses the range %p', (range) => {
    expect(() => phash2('user_1', range)).toThrow(
      expect.objectContaining({ name: 'TermError', code: 'invalid_range' }) as Error,
    );
    expect(() => phash2Encoded(encodeTerm(1), range)).toThrow(
      expect.objectContaining({ code: 'invalid_range' }) as Error,
    );
  });

  test('tells 1 from 1.0 and does not tell 0.0 from -0.0', () => {
    expect(phash2Encoded(Uint8Array.of(131, 97, 1))).not.toBe(
      phash2Encoded(Uint8Array.of(131, 70, 63, 240, 0, 0, 0, 0, 0, 0)),
    );
    expect(phash2Encoded(Uint8Array.of(131, 70, 0, 0, 0, 0, 0, 0, 0, 0))).toBe(
      phash2Encoded(Uint8Array.of(131, 70, 128, 0, 0, 0, 0, 0, 0, 0)),
    );
  });
});

import { deflateSync } from 'node:zlib';
import {
  canonicalize,
  decodeTerm,
  encodeTerm,
  phash2Encoded,
  TermDecodeError,
  TermError,
  TermTooLargeError,
} from '@mississippi/terms';
import { vectors } from './vectors.js';

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

function compressed(content: Uint8Array, announced = content.length, after: readonly number[] = []): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(announced);
  return Uint8Array.from(Buffer.concat([Buffer.from([131, 80]), size, deflateSync(content), Buffer.from(after)]));
}

const ALMOST_4_GIB = [255, 255, 255, 255];

describe('bytes that are no key', () => {
  test.each<[string, number[], string, number]>([
    ['nothing', [], 'no_version', 0],
    ['another version', [130, 97, 1], 'no_version', 0],
    ['only a version', [131], 'truncated', 1],
    ['a distribution header', [131, 68, 0], 'unsupported_tag', 1],
    ['an unknown tag', [131, 0], 'unsupported_tag', 1],
    ['an atom cache reference', [131, 82, 0], 'unsupported_tag', 1],
    ['a pid', [131, 88, 119, 1, 97, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 'unsupported_tag', 1],
    ['an old pid', [131, 103], 'unsupported_tag', 1],
    ['a reference', [131, 90], 'unsupported_tag', 1],
    ['old references', [131, 104, 1, 114], 'unsupported_tag', 3],
    ['a port', [131, 120], 'unsupported_tag', 1],
    ['old ports', [131, 89], 'unsupported_tag', 1],
    ['a function', [131, 112], 'unsupported_tag', 1],
    ['an external function', [131, 113], 'unsupported_tag', 1],
    ['a bit string', [131, 77, 0, 0, 0, 1, 3, 0xe0], 'bitstring_refused', 2],
    ['an integer cut off', [131, 98, 0, 0], 'truncated', 2],
    ['a binary cut off', [131, 109, 0, 0, 0, 2, 1], 'truncated', 6],
    ['a binary of 4 GiB', [131, 109, ...ALMOST_4_GIB, 1], 'truncated', 6],
    ['a string cut off', [131, 107, 0, 2, 1], 'truncated', 4],
    ['a list of 4 G elements', [131, 108, ...ALMOST_4_GIB, 106], 'truncated', 6],
    ['a list without its tail', [131, 108, 0, 0, 0, 1, 97, 1], 'truncated', 8],
    ['a tuple of 4 G elements', [131, 105, ...ALMOST_4_GIB, 106], 'truncated', 6],
    ['a map of 4 G pairs', [131, 116, ...ALMOST_4_GIB, 106], 'truncated', 6],
    ['an integer of 4 GiB', [131, 111, ...ALMOST_4_GIB, 0, 1], 'truncated', 7],
    ['bytes after a term', [131, 97, 1, 0], 'trailing_bytes', 3],
    ['bytes after a binary', [131, 109, 0, 0, 0, 1, 97, 0], 'trailing_bytes', 7],
    ['NaN', [131, 70, 127, 248, 0, 0, 0, 0, 0, 0], 'malformed', 10],
    ['Infinity', [131, 70, 127, 240, 0, 0, 0, 0, 0, 0], 'malformed', 10],
    ['an old float that is none', [131, 99, ...Buffer.from('Infinity'.padEnd(31, '\0'))], 'malformed', 33],
    ['an old float that is infinite', [131, 99, ...Buffer.from('1.0e999'.padEnd(31, '\0'))], 'malformed', 33],
    ['an atom that is not UTF-8', [131, 119, 1, 0xff], 'malformed', 4],
    ['an atom that is a surrogate', [131, 119, 3, 0xed, 0xa0, 0x80], 'malformed', 6],
    ['an atom of 256 characters', [131, 118, 1, 0, ...Buffer.alloc(256, 'a')], 'atom_too_long', 260],
    ['an old atom of 256 characters', [131, 100, 1, 0, ...Buffer.alloc(256, 'a')], 'atom_too_long', 260],
    ['a map with a key twice', [131, 116, 0, 0, 0, 2, 97, 1, 106, 97, 1, 106], 'duplicate_key', 11],
    ['a map with a key in two spellings', [131, 116, 0, 0, 0, 2, 97, 1, 106, 98, 0, 0, 0, 1, 106], 'duplicate_key', 14],
    [
      'a map with an atom in two spellings',
      [131, 116, 0, 0, 0, 2, 100, 0, 1, 97, 106, 119, 1, 97, 106],
      'duplicate_key',
      15,
    ],
    [
      'a map with a compound key twice',
      [131, 116, 0, 0, 0, 2, 104, 1, 97, 1, 106, 105, 0, 0, 0, 1, 97, 1, 106],
      'duplicate_key',
      19,
    ],
    [
      'a map with 0.0 and -0.0',
      [131, 116, 0, 0, 0, 2, 70, 0, 0, 0, 0, 0, 0, 0, 0, 106, 70, 128, 0, 0, 0, 0, 0, 0, 0, 106],
      'duplicate_key',
      26,
    ],
  ])('%s', (_, wire, code, offset) => {
    const bytes = Uint8Array.from(wire);
    const error = caught(() => decodeTerm(bytes));
    expect(error).toBeInstanceOf(TermDecodeError);
    expect(error).toBeInstanceOf(TermError);
    expect(error).toMatchObject({ name: 'TermDecodeError', code, offset });
    expect(String(error)).toContain(`byte ${offset}`);
    expect(caught(() => canonicalize(bytes))).toMatchObject({ code, offset });
    if (code !== 'bitstring_refused') expect(caught(() => phash2Encoded(bytes))).toMatchObject({ code });
  });

  test.each([0, 8, 9, 255])('a bit string that uses %p bits of its last byte', (bits) => {
    expect(caught(() => phash2Encoded(Uint8Array.of(131, 77, 0, 0, 0, 1, bits, 1)))).toMatchObject({
      code: 'malformed',
    });
  });

  test('what is not even bytes', () => {
    expect(caught(() => decodeTerm('\x83a\x01' as unknown as Uint8Array))).toMatchObject({ name: 'TermDecodeError' });
  });
});

describe('terms that are too large', () => {
  test('more than 16,384 bytes, or what the limit allows', () => {
    const bytes = encodeTerm('x'.repeat(16_379), { maxBytes: 20_000 });
    for (const run of [() => decodeTerm(bytes), () => canonicalize(bytes)]) {
      const error = caught(run);
      expect(error).toBeInstanceOf(TermTooLargeError);
      expect(error).toMatchObject({ code: 'too_many_bytes', limit: 16_384 });
    }
    expect(decodeTerm(bytes, { maxBytes: 16_385 })).toHaveLength(16_379);
  });

  test('deeper than 256 levels, of every kind', () => {
    const shells = [
      [104, 1],
      [108, 0, 0, 0, 1],
      [116, 0, 0, 0, 1],
      [105, 0, 0, 0, 1],
    ];
    for (const shell of shells) {
      const bytes = Uint8Array.of(131, ...Array.from({ length: 257 }, () => shell).flat(), 97, 1, 97, 1);
      expect(caught(() => decodeTerm(bytes))).toMatchObject({
        name: 'TermTooLargeError',
        code: 'too_deep',
        limit: 256,
      });
    }
    const tails = Uint8Array.of(131, ...Array.from({ length: 257 }, () => [108, 0, 0, 0, 1, 97, 1]).flat(), 106);
    expect(caught(() => decodeTerm(tails))).toMatchObject({ code: 'too_deep' });
  });

  test('maps nested in the keys of maps take milliseconds, not seconds', () => {
    // Every level has two maps as keys that differ in their last leaf only.
    const nest = (depth: number, id: number): number[] =>
      depth === 0
        ? [98, 0, 0, id >> 8, id & 255]
        : [116, 0, 0, 0, 2, ...nest(depth - 1, 0), 97, 1, ...nest(depth - 1, id * 2 + 1), 97, 1];
    const bytes = Uint8Array.of(131, ...nest(10, 1));
    const start = performance.now();
    canonicalize(bytes);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('compressed terms', () => {
  const content = encodeTerm('a'.repeat(1_000)).subarray(1);

  test('are read', () => {
    expect(decodeTerm(compressed(content))).toBe('a'.repeat(1_000));
    expect(phash2Encoded(compressed(content))).toBe(phash2Encoded(encodeTerm('a'.repeat(1_000))));
  });

  test('may inflate to the limit and not beyond, whatever they announce', () => {
    const large = encodeTerm('a'.repeat(20_000), { maxBytes: 30_000 }).subarray(1);
    expect(caught(() => decodeTerm(compressed(large)))).toMatchObject({ code: 'too_many_bytes', limit: 16_384 });
    expect(caught(() => phash2Encoded(compressed(large)))).toMatchObject({ code: 'too_many_bytes' });
    expect(caught(() => decodeTerm(compressed(large, 16_000)))).toMatchObject({ code: 'bad_compression' });
    expect(caught(() => decodeTerm(compressed(Buffer.alloc(5_000_000), 100)))).toMatchObject({
      code: 'bad_compression',
    });
  });

  test.each<[string, Uint8Array, string]>([
    ['announce too much', compressed(content, content.length + 1), 'bad_compression'],
    ['announce nothing', compressed(new Uint8Array(), 0), 'bad_compression'],
    ['are cut off', compressed(content).subarray(0, 15), 'bad_compression'],
    ['are no zlib stream', Uint8Array.of(131, 80, 0, 0, 0, 4, 1, 2, 3, 4), 'bad_compression'],
    ['have no data', Uint8Array.of(131, 80, 0, 0, 0, 4), 'bad_compression'],
    ['have no size', Uint8Array.of(131, 80, 0), 'truncated'],
    ['are followed by bytes', compressed(content, content.length, [0]), 'trailing_bytes'],
    ['hold two terms', compressed(Uint8Array.of(97, 1, 97, 2)), 'trailing_bytes'],
    ['hold a compressed term', compressed(compressed(content).subarray(1)), 'unsupported_tag'],
  ])('are refused when they %s', (_, bytes, code) => {
    expect(caught(() => decodeTerm(bytes))).toMatchObject({ name: 'TermDecodeError', code });
  });
});

describe('a million byte strings', () => {
  /** Marsaglia's xorshift32: small, fast, and repeatable from its seed. */
  function randomFrom(seed: number): (below: number) => number {
    let state = seed | 1;
    return (below) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    };
  }

  const seed = Number(process.env['TERMS_SEED'] ?? Date.now() % 1_000_000_007);
  const tags = [70, 77, 80, 97, 98, 99, 100, 104, 105, 106, 107, 108, 109, 110, 111, 115, 116, 118, 119];
  const stackTraceLimit = Error.stackTraceLimit;

  // Stack traces are most of the cost of a million errors, and nobody reads these.
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  /** Counts how many were terms; anything thrown but a TermError, and any other value, fails the test. */
  function decodeAll(count: number, next: () => Uint8Array): number {
    let terms = 0;
    for (let i = 0; i < count; i++) {
      const bytes = next();
      try {
        const term = decodeTerm(bytes);
        if (term === undefined || typeof term === 'function') throw new Error('no term');
        terms++;
        if (i % 16 === 0) encodeTerm(term, { maxBytes: 100_000 });
      } catch (error) {
        if (error instanceof TermError) continue;
        throw new Error(`seed ${seed}, bytes ${Buffer.from(bytes).toString('hex')}`, { cause: error });
      }
    }
    return terms;
  }

  test(`random ones are terms or TermErrors (TERMS_SEED=${seed})`, () => {
    const random = randomFrom(seed);
    const terms = decodeAll(500_000, () => {
      const bytes = new Uint8Array(1 + random(40));
      for (let i = 0; i < bytes.length; i++)
        bytes[i] = random(3) === 0 ? (tags[random(tags.length)] as number) : random(random(2) === 0 ? 6 : 256);
      if (random(50) > 0) bytes[0] = 131;
      if (random(50) > 0) bytes[1] = tags[random(tags.length)] as number;
      return bytes;
    });
    expect(terms).toBeGreaterThan(1_000);
  });

  test(`mutated ones of Erlang's are terms or TermErrors (TERMS_SEED=${seed})`, () => {
    const random = randomFrom(seed ^ 0x5bd1e995);
    const originals = vectors.flatMap(({ otp25, otp26 }) => [otp25, otp26]).filter(({ length }) => length < 300);
    const terms = decodeAll(500_000, () => {
      const original = originals[random(originals.length)] as Uint8Array;
      const bytes = random(8) === 0 ? original.slice(0, random(original.length)) : original.slice();
      for (let i = random(3); i >= 0 && bytes.length > 1; i--) {
        bytes[1 + random(bytes.length - 1)] = random(2) === 0 ? random(256) : (tags[random(tags.length)] as number);
      }
      return bytes;
    });
    expect(terms).toBeGreaterThan(1_000);
  });
});

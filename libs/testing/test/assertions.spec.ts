import { assertBytes, assertHeaders } from '../src/conformance/assertions.js';

describe('headers', () => {
  test('may have been added to', () => {
    expect(() => assertHeaders({ own: 1, sharding_key: 'k' }, { own: 1 }, 'm1')).not.toThrow();
  });

  test('may lose what some brokers cannot carry: null, and the precision of fractions', () => {
    expect(() => assertHeaders({ a: '', b: Math.fround(1.1) }, { a: null, b: 1.1 }, 'm1')).not.toThrow();
  });

  test('may have integers as bigint', () => {
    expect(() => assertHeaders({ a: 7n }, { a: 7 }, 'm1')).not.toThrow();
  });

  test.each([
    [{}, { a: 'x' }],
    [{ a: 'y' }, { a: 'x' }],
    [{ a: undefined }, { a: null }],
    [{ a: 1.2 }, { a: 1.1 }],
    [{ a: 1 }, { a: true }],
    [{ a: 'bytes' }, { a: Buffer.from('bytes') }],
    [{ a: Buffer.from('text') }, { a: 'text' }],
    [{ a: [1] }, { a: [1, 2] }],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1 } }],
  ])('that differ are told: %j instead of %j', (actual, expected) => {
    expect(() => assertHeaders(actual as never, expected, 'm1')).toThrow(/the (header|names)/);
  });
});

test('bytes that differ are shown in hexadecimal', () => {
  expect(() => assertBytes(Buffer.from('ab'), Buffer.from('ac'), 'the key')).toThrow(
    'the key: expected 2 bytes 6163, got 2 bytes 6162',
  );
});

import { ErlangAtom, ErlangFloat, ErlangTuple } from '@mississippi/terms';
import { decodeShardingKey, encodeShardingKey, shardOf, type ShardingKey } from '../../src/index.js';
import { vectors } from '../../../terms/test/vectors.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const usable = vectors.filter(({ otp26 }) => otp26.length <= 16_384);

describe('Erlang, as the vectors tell,', () => {
  test('hashes every key to the shard that shardOf finds', () => {
    for (const { term, otp25, hashes } of usable) {
      const key = decodeShardingKey(otp25);
      for (const [totalCount, shard] of hashes) expect([term, shardOf(key, { totalCount })]).toEqual([term, shard]);
      expect(shardOf(key)).toBe(hashes.get(128));
    }
  });

  test('writes every key as encodeShardingKey does, but for the order of large maps, and -0.0', () => {
    // Erlang leaves the pairs of a map with more than 32 keys unsorted.
    const fixed = usable.filter(({ term }) => term !== '-0.0' && term.split('=>').length <= 33);
    expect(fixed.length).toBeGreaterThan(usable.length - 30);
    for (const { term, otp25, otp26 } of fixed) {
      expect([term, hex(encodeShardingKey(decodeShardingKey(otp25)))]).toEqual([term, hex(otp26)]);
    }
  });

  test('has the key of the example on shard 7, in these bytes', () => {
    expect(shardOf('user_1')).toBe(7);
    expect(hex(encodeShardingKey('user_1'))).toBe('836d00000006757365725f31');
  });
});

describe('two spellings are', () => {
  test.each<[string, ShardingKey, ShardingKey]>([
    ['a number and a bigint', 42, 42n],
    ['a string and its UTF-8', 'zürich', Buffer.from('zürich')],
    ['zero and minus zero', 0, -0],
    ['lists of the same', ['tenant', 7], ['tenant', 7n]],
    ['true and its atom', true, new ErlangAtom('true')],
  ])('one key: %s', (_name, one, other) => {
    expect(hex(encodeShardingKey(one))).toBe(hex(encodeShardingKey(other)));
    expect(shardOf(one)).toBe(shardOf(other));
  });

  test.each<[string, ShardingKey, ShardingKey]>([
    ['a number and its digits', 42, '42'],
    ['an integer and a float', 1, new ErlangFloat(1)],
    ['a string and an atom', 'ok', new ErlangAtom('ok')],
    ['a key and a list of it', 'k', ['k']],
    ['a list and a tuple', ['k'], new ErlangTuple(['k'])],
  ])('two keys: %s', (_name, one, other) => {
    expect(hex(encodeShardingKey(one))).not.toBe(hex(encodeShardingKey(other)));
  });
});

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['an empty string', ''],
])('%s is no key to encode or to find the shard of', (text, key) => {
  const error = expect.objectContaining({
    code: 'missing_sharding_key',
    message: expect.stringContaining(`it is ${text}: `) as unknown,
  }) as Error;
  expect(() => encodeShardingKey(key as ShardingKey)).toThrow(error);
  expect(() => shardOf(key as ShardingKey)).toThrow(error);
});

test('every key that is read can be given: nil and the empty binary too', () => {
  const nil = decodeShardingKey(Uint8Array.of(131, 119, 3, 110, 105, 108));
  expect(nil).toEqual(new ErlangAtom('nil'));
  const empty = decodeShardingKey(Uint8Array.of(131, 109, 0, 0, 0, 0));
  expect(empty).toEqual(new Uint8Array(0));
  expect([hex(encodeShardingKey(nil)), hex(encodeShardingKey(empty))]).toEqual(['8377036e696c', '836d00000000']);
});

test('totalCount is 128 unless another is given', () => {
  expect(shardOf('user_1', {})).toBe(7);
  expect(shardOf('user_1', { totalCount: 1 })).toBe(0);
});

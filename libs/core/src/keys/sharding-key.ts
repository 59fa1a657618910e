import { canonicalize, decodeTerm, encodeTerm, ErlangAtom, inspectTerm, phash2Encoded } from '@mississippi/terms';
import type { ShardingKey } from '../decorators/parameter.decorators.js';
import { describe } from '../errors/describe.js';
import { InvalidShardingKeyError, MissingShardingKeyError } from '../errors/index.js';

export type { ShardingKey };

/** Bit strings are keys as any other term: an Erlang producer may use them. */
const LIMITS = { bitstrings: true };

/** As the atom is written that decodes to `null`. */
const NIL = new ErlangAtom('nil');

/**
 * A key as it travels: in the external term format, canonical. Every kind of key is taken here.
 * @throws {MissingShardingKeyError} for `undefined`, `null` and `''`
 * @throws {InvalidShardingKeyError} when the key is no term or too large
 * @publicApi
 */
export function encodeShardingKey(key: ShardingKey): Uint8Array {
  if (key === undefined || key === null || key === '') throw new MissingShardingKeyError(key);
  try {
    // Canonical too: an encoding is one already but for a negative zero, which Erlang takes for the positive one.
    return canonicalize(encodeTerm(key, LIMITS), LIMITS);
  } catch (error) {
    throw new InvalidShardingKeyError(error);
  }
}

/**
 * The canonical spelling of a key in the external term format, by which keys are compared.
 * @throws {InvalidShardingKeyError} when the bytes are no term that can be a key
 * @publicApi
 */
export function canonicalKey(bytes: Uint8Array): Uint8Array {
  try {
    return canonicalize(bytes, LIMITS);
  } catch (error) {
    throw new InvalidShardingKeyError(error);
  }
}

/**
 * Reads a key, such as that of a dead letter, from the external term format. A string where the bytes of a binary are
 * UTF-8, else bytes; every other term as `@mississippi/terms` reads it. What comes out can be given as a key: the atom
 * `nil` is an `ErlangAtom` and the empty binary a `Uint8Array`, since `null` and `''` are taken for missing keys.
 * @throws {TermDecodeError} when the bytes are no term that can be a key
 * @publicApi
 */
export function decodeShardingKey(bytes: Uint8Array): ShardingKey {
  const term = decodeTerm(bytes, LIMITS);
  if (term === null) return NIL;
  return term === '' ? new Uint8Array(0) : term;
}

/**
 * Which shard a key belongs to: `erlang:phash2(Key, TotalCount)`, so that its queue is `<prefix><index>`.
 * @param options `totalCount`: how many shards there are, default 128
 * @throws {MissingShardingKeyError} for `undefined`, `null` and `''`
 * @throws {InvalidShardingKeyError} when the key is no term or too large
 * @example shardOf('user_1') // 7
 * @publicApi
 */
export function shardOf(key: ShardingKey, { totalCount = 128 }: { totalCount?: number } = {}): number {
  return shardOfEncoded(encodeShardingKey(key), totalCount);
}

/**
 * Which of `totalCount` shards an encoded key belongs to, as Erlang's `phash2(Key, TotalCount)`.
 * @publicApi
 */
export function shardOfEncoded(key: Uint8Array, totalCount: number): number {
  return phash2Encoded(key, totalCount);
}

/**
 * Identity of a canonical key for maps: one character a byte, so that equal means equal bytes.
 * @publicApi
 */
export function keyId(canonical: Uint8Array): string {
  return (Buffer.isBuffer(canonical) ? canonical : Buffer.from(canonical)).toString('latin1');
}

/** The canonical bytes behind {@link keyId}. */
export function keyBytes(id: string): Uint8Array {
  return Buffer.from(id, 'latin1');
}

/**
 * A key for logs and errors, bounded in length.
 * @publicApi
 */
export function inspectKey(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return '(none)';
  try {
    return inspectTerm(decodeTerm(bytes, LIMITS));
  } catch (error) {
    return `(undecodable: ${describe(error)})`;
  }
}

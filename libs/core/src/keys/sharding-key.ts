import { canonicalize, decodeTerm, encodeTerm, inspectTerm, phash2Encoded, type Term } from '@mississippi/terms';
import { describe } from '../errors/describe.js';
import { InvalidShardingKeyError, MissingShardingKeyError } from '../errors/index.js';

/**
 * The value by which messages are ordered: any term that the wire format carries, such as a string, bytes, an integer,
 * or a list of them. At most 16 KB encoded. `1` and `1.0` (an `ErlangFloat`) are two keys.
 * @publicApi
 */
export type ShardingKey = Term;

/** Bit strings are keys as any other term: an Erlang producer may use them. */
const LIMITS = { bitstrings: true };

/**
 * The key in the external term format, canonical.
 * @throws {InvalidShardingKeyError} when the key is no term or too large
 */
export function encodeShardingKey(key: ShardingKey): Uint8Array {
  if (key === undefined) throw new MissingShardingKeyError();
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
 * Reads a key, such as that of a dead letter, from the external term format.
 * @throws {TermDecodeError} when the bytes are no term that can be a key
 * @publicApi
 */
export function decodeShardingKey(bytes: Uint8Array): ShardingKey {
  return decodeTerm(bytes, LIMITS);
}

/**
 * Which of `totalCount` shards a key belongs to, as Erlang's `phash2(Key, TotalCount)`.
 * @publicApi
 */
export function shardOf(key: Uint8Array, totalCount: number): number {
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

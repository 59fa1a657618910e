import { createHash } from 'node:crypto';
import { canonicalKey, encodeShardingKey, inspectKey, type ShardingKey } from './sharding-key.js';

/** A key, in the external term format, for the log and the texts of errors. */
export type KeyText = (key: Uint8Array | undefined) => string;

/** How the app wants its keys to appear. */
export function keyTextFor(logKeys: 'plain' | 'hashed'): KeyText {
  return logKeys === 'hashed' ? digestText : inspectKey;
}

/**
 * What stands in the log for a key where the option `logKeys` is `'hashed'`: `sha256:` and the first 16 hexadecimal
 * digits of the SHA-256 of the key in the external term format. It is the same in every process and every release.
 *
 * A digest is no secret: whoever can guess a key can check the guess.
 * @throws {MissingShardingKeyError} without a key
 * @throws {InvalidShardingKeyError} when the key is no term
 * @example grep the log for keyDigest('device-17')
 * @publicApi
 */
export function keyDigest(shardingKey: ShardingKey): string {
  return digestOf(encodeShardingKey(shardingKey));
}

function digestText(key: Uint8Array | undefined): string {
  return key === undefined ? inspectKey(key) : digestOf(canonicalOrAsItIs(key));
}

/** A key that is no term has a digest too. */
function canonicalOrAsItIs(key: Uint8Array): Uint8Array {
  try {
    return canonicalKey(key);
  } catch {
    return key;
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

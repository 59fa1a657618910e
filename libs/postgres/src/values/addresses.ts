import { createHash, hash } from 'node:crypto';
import type { MessageIdentity } from '@mississippi/core/store';

/** An index takes no entry above 2,704 bytes (btree of PostgreSQL, with pages of 8 KB). Longer keys stand under a digest. */
const LONGEST = 1_024;

/** Of the number that tells where the key ends. */
const LENGTH_BYTES = 4;

/**
 * What a key's state stands under: the key, or for a long one a zero byte and its SHA-256. Canonical keys begin with 131.
 */
export function stateAddress(key: Uint8Array): Uint8Array {
  if (key.length <= LONGEST) return key;
  return Buffer.concat([Buffer.of(0), createHash('sha256').update(key).digest()]);
}

/**
 * What a message's entry in the inbox stands under: 16 bytes of a SHA-256 over the key and the id. Entries are many, and take the
 * same small room whatever the ids look like. Any string is told from any other: UTF-16 has a form for each.
 */
export function inboxAddress({ key, messageId }: MessageIdentity): Buffer {
  const named = Buffer.allocUnsafe(LENGTH_BYTES + key.length + 2 * messageId.length);
  named.writeUInt32BE(key.length, 0);
  named.set(key, LENGTH_BYTES);
  named.write(messageId, LENGTH_BYTES + key.length, 'utf16le');
  return hash('sha256', named, 'buffer').subarray(0, 16);
}

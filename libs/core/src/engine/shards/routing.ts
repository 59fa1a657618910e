import { canonicalKey, shardOf } from '../../keys/sharding-key.js';
import type { DeadLetterReason } from '../../note-headers.js';

/** Where a message belongs: its canonical key, or why it belongs to no key of the shard. */
export type Route =
  { readonly key: Uint8Array } | { readonly key: undefined; readonly reason: DeadLetterReason; readonly error: Error };

/** @param key as it was on the wire */
export function routeOf(key: Uint8Array | undefined, shard: number, totalCount: number): Route {
  if (key === undefined) {
    return { key, reason: 'key_missing', error: new Error('the message has no sharding key') };
  }
  let canonical: Uint8Array;
  try {
    canonical = canonicalKey(key);
  } catch (error) {
    return { key: undefined, reason: 'key_undecodable', error: error as Error };
  }
  const right = shardOf(canonical, totalCount);
  if (right === shard) return { key: canonical };
  const error = new Error(`the key belongs to shard ${right} of ${totalCount}`);
  return { key: undefined, reason: 'wrong_shard', error };
}

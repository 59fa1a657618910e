import { canonicalKey, shardOfEncoded } from '../../keys/sharding-key.js';
import type { DeadLetterReason } from '../../note-headers.js';

/** Where a message belongs: its canonical key, or why it belongs to no key of the shard. */
export type Route = { readonly key: Uint8Array } | NoRoute;

export interface NoRoute {
  readonly key: undefined;
  /** The canonical key, where it has one and only the shard is wrong. */
  readonly stray: Uint8Array | undefined;
  readonly reason: DeadLetterReason;
  readonly error: Error;
}

/** @param key as it was on the wire */
export function routeOf(key: Uint8Array | undefined, shard: number, totalCount: number): Route {
  if (key === undefined) return none('key_missing', new Error('the message has no sharding key'));
  let canonical: Uint8Array;
  try {
    canonical = canonicalKey(key);
  } catch (error) {
    return none('key_undecodable', error as Error);
  }
  const right = shardOfEncoded(canonical, totalCount);
  if (right === shard) return { key: canonical };
  return none('wrong_shard', new Error(`the key belongs to shard ${right} of ${totalCount}`), canonical);
}

function none(reason: DeadLetterReason, error: Error, stray?: Uint8Array): NoRoute {
  // Where it was found helps nobody, and would take room from the message's own headers.
  Reflect.deleteProperty(error, 'stack');
  return { key: undefined, stray, reason, error };
}

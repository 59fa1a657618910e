import { encodeTerm, phash2Encoded } from '@mississippi/terms';

/** The shard of a key in the external term format. */
export function shardOfKey(key: Uint8Array, totalCount: number): number {
  return phash2Encoded(key, totalCount);
}

/** The first so many keys `key-0`, `key-1`... that belong to a shard. */
export function keysOfShard(shard: number, totalCount: number, count: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let index = 0; keys.length < count; index++) {
    const key = encodeTerm(`key-${index}`);
    if (shardOfKey(key, totalCount) === shard) keys.push(key);
  }
  return keys;
}

import { encodeShardingKey, type ShardingKey } from '@mississippi/core';

/** Whether two keys are the same to the library. */
export function isSameKey(a: ShardingKey, b: ShardingKey): boolean {
  return a === b || Buffer.compare(encodeShardingKey(a), encodeShardingKey(b)) === 0;
}

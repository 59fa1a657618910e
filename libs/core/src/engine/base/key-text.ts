import { keyBytes } from '../../keys/sharding-key.js';
import type { EngineKey } from './engine-key.js';

/** A key as it may appear in the log and in errors. */
export function keyTextOf({ id, epoch }: EngineKey): string {
  return epoch.environment.keyText(keyBytes(id));
}

/** The fields of a line of the log that is about a key. */
export function keyFields(key: EngineKey): { readonly key: string; readonly shard: number; readonly epoch: number } {
  return { key: keyTextOf(key), shard: key.epoch.shard, epoch: key.epoch.number };
}

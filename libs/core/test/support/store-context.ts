import { systemClock } from '../../src/index.js';
import { inspectKey } from '../../src/keys/sharding-key.js';
import type { StoreContext } from '../../src/store/index.js';

/** What a store is told by a test: an instance of one shard. */
export function storeContext(parts: Partial<StoreContext> = {}): StoreContext {
  return {
    instance: 'test',
    logger: { log: () => undefined, warn: () => undefined, error: () => undefined },
    keyText: inspectKey,
    clock: systemClock,
    shards: { transport: 'memory', totalCount: 1, hash: 'phash2' },
    exclusive: false,
    inboxHorizon: 1_000,
    settleTime: 1_000,
    ...parts,
  };
}

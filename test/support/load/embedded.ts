import { memory, MemoryBroker } from '@mississippi/core';
import type { Ground } from './load.js';

/** Processes that share an embedded broker. */
export function embedded(): Ground {
  const broker = new MemoryBroker({ totalCount: 8, capacity: 100_000, deadLetterLimit: Infinity });
  return {
    transport: () => memory({ broker }),
    limits: { ackDelay: 0 },
    lose: (shard) => broker.loseShard(shard),
  };
}

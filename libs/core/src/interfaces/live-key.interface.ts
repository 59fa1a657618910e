import type { ShardingKey } from '../keys/sharding-key.js';

/**
 * A reference to the live data updater of one key.
 * @publicApi
 */
export interface DataUpdaterRef {
  readonly key: ShardingKey;
  readonly shard: number;
  readonly epoch: number;
  /** `false` once it has ended; the service then gives a fresh one. */
  readonly alive: boolean;
}

/**
 * One row of `DataUpdaterService.liveKeys()`.
 * @publicApi
 */
export interface LiveKey {
  readonly key: ShardingKey;
  readonly shard: number;
  readonly epoch: number;
  /** `starting`, `idle`, `running`, `ready` (its head waits for an attempt slot or its shard), `backoff`, `settling`, `parked` or `ending`. */
  readonly state: 'starting' | 'idle' | 'running' | 'ready' | 'backoff' | 'settling' | 'parked' | 'ending';
  /** Milliseconds since its data updater started; `undefined` without one. */
  readonly age: number | undefined;
  /** Messages in memory, the head included. */
  readonly queued: number;
  /** Messages in the side queue. */
  readonly parked: number;
  /** Which attempt at the head runs or comes next; 0 without a head. */
  readonly attempt: number;
  readonly lastError: unknown;
}

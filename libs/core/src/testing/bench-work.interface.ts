import type { ShardingKey } from '../keys/sharding-key.js';

/**
 * A callback of a handler that is about to run.
 * @publicApi
 */
export interface BenchCallback {
  /** Name of the callback, such as `'handleMessage'`. */
  readonly name: string;
  readonly key: ShardingKey;
  /** Of the message that caused it. */
  readonly messageId: string | undefined;
  /** From 1; 0 where no message caused it. */
  readonly attempt: number;
}

/**
 * Something that an instance has not finished.
 *
 * - `callback`: it runs
 * - `backoff`: a message waits for its next attempt, or for the next `init`
 * - `message`: a message waits for its turn
 * - `signal`: a signal waits for its turn
 * - `settling`: a message waits for the confirm of its dead letter or its move to the side queue
 * - `commit`: the store has not taken what a callback changed
 * - `outbox`: the transport has not taken what was committed
 * - `pressure`: the key is parked under pressure, and resumes by itself
 * @publicApi
 */
export interface UnfinishedWork {
  readonly kind: 'callback' | 'backoff' | 'message' | 'signal' | 'settling' | 'commit' | 'outbox' | 'pressure';
  /** Left out where it is a matter of the shard. */
  readonly key?: ShardingKey;
  readonly shard: number;
  /** How many of them. */
  readonly count: number;
  readonly callback?: string | undefined;
  readonly messageId?: string | undefined;
  /** Which attempt at the message runs, or was the last. */
  readonly attempt?: number;
  /** What the last attempt failed with. */
  readonly error?: unknown;
}

/**
 * Called instead of each callback of the handler, guards and interceptors included.
 * @param invoke calls it
 * @returns what it answers; a promise must be a native one
 * @publicApi
 */
export type AroundCallback = (callback: BenchCallback, invoke: () => unknown) => unknown;

/**
 * What a kit tells itself among the events.
 * @publicApi
 */
export interface BenchNote {
  readonly note: unknown;
}

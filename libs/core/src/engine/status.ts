import type { TransportStatus } from '../interfaces/transport.interface.js';
import type { ShardSlot } from './shard-slot.js';

/**
 * What one instance of the module owns and does at this moment.
 * @publicApi
 */
export interface EngineStatus {
  readonly transport: TransportStatus;
  /** Shards that this process owns. */
  readonly shards: number;
  /** Shards that wait because their side queue is full. */
  readonly stalledShards: readonly number[];
  /** Data updaters that live. */
  readonly liveKeys: number;
  /** Attempts that run. */
  readonly runningAttempts: number;
  /** Keys whose head waits for its next attempt. */
  readonly backoffs: number;
  /** Keys whose `init` failed at the last try. */
  readonly failingInits: number;
  readonly parkedKeys: number;
  readonly parkedMessages: number;
  /** How long the oldest unfinished head has been here: the longest time without progress of any key. Milliseconds. */
  readonly oldestHead: number;
}

/** Counts what the shards hold. It visits every live key. */
export function census(
  slots: Iterable<ShardSlot>,
  now: number,
): Omit<EngineStatus, 'transport' | 'liveKeys' | 'runningAttempts'> {
  const stalledShards: number[] = [];
  let [shards, backoffs, failingInits, parkedKeys, parkedMessages, oldestHead] = [0, 0, 0, 0, 0, 0];
  for (const slot of slots) {
    if (slot.current !== undefined) shards++;
    if (slot.current?.side.stalled === true) stalledShards.push(slot.current.index);
    for (const { tracker } of slot.queues()) {
      if (tracker.phase === 'backoff') backoffs++;
      if (tracker.initFailures > 0) failingInits++;
      if (tracker.isParked) parkedKeys++;
      parkedMessages += tracker.parked;
      if (tracker.head !== undefined) oldestHead = Math.max(oldestHead, now - tracker.head.receivedAt);
    }
  }
  return { shards, stalledShards, backoffs, failingInits, parkedKeys, parkedMessages, oldestHead };
}

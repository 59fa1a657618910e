import type { EngineStatus } from '../interfaces/status.interface.js';
import type { ShardSlot } from './shard-slot.js';

/** Counts what the shards hold. It visits every live key. */
export function census(
  slots: Iterable<ShardSlot>,
  now: number,
): Omit<EngineStatus, 'transport' | 'durable' | 'liveKeys' | 'runningAttempts'> {
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

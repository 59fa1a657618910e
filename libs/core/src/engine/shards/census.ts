import type { EngineStatus } from '../../interfaces/status.interface.js';
import type { ShardEpochs } from './shard-epochs.js';

/** What can be counted shard by shard. */
export type Census = Pick<
  EngineStatus,
  | 'shards'
  | 'stalledShards'
  | 'waitingMessages'
  | 'backoffs'
  | 'failingInits'
  | 'parkedKeys'
  | 'parkedMessages'
  | 'oldestHead'
>;

/** Counts what the shards hold. It visits every live key. */
export function census(shards: Iterable<ShardEpochs>, now: number): Census {
  const stalledShards: number[] = [];
  let [owned, waitingMessages, backoffs, failingInits, parkedKeys, parkedMessages, oldestHead] = [0, 0, 0, 0, 0, 0, 0];
  for (const epochs of shards) {
    if (epochs.current !== undefined) owned++;
    if (epochs.current?.stalled === true) stalledShards.push(epochs.current.index);
    for (const { tracker, activation } of epochs.queues()) {
      waitingMessages += tracker.phase === 'attempting' ? tracker.length - 1 : tracker.length;
      if (tracker.phase === 'backoff') backoffs++;
      if (tracker.awaitsInit && activation.updater === undefined) failingInits++;
      if (tracker.isParked) parkedKeys++;
      parkedMessages += tracker.parked;
      const { headSince } = tracker;
      if (headSince !== undefined) oldestHead = Math.max(oldestHead, now - headSince);
    }
  }
  return {
    shards: owned,
    stalledShards,
    waitingMessages,
    backoffs,
    failingInits,
    parkedKeys,
    parkedMessages,
    oldestHead,
  };
}

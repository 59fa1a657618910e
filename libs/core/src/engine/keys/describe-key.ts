import type { LiveKey } from '../../interfaces/live-key.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
import type { KeyQueue } from './key-queue.js';

/** The row of `liveKeys()`. */
export function describeKey(queue: KeyQueue): LiveKey {
  const { id, epoch, tracker, activation } = queue;
  const { updater } = activation;
  return {
    key: decodeShardingKey(keyBytes(id)),
    shard: epoch.shard,
    epoch: epoch.number,
    state: stateOf(queue),
    age: updater === undefined ? undefined : epoch.environment.clock.now() - updater.startedAt,
    queued: tracker.length,
    parked: tracker.parked,
    attempt: tracker.head === undefined ? 0 : Math.max(1, tracker.attempt),
    lastError: tracker.lastError,
  };
}

export function stateOf({ tracker, activation, closing, running }: KeyQueue): LiveKey['state'] {
  if (activation.ending !== undefined || closing) return 'ending';
  if (running) return activation.updater === undefined ? 'starting' : 'running';
  if (tracker.phase === 'backoff') return 'backoff';
  if (tracker.phase === 'settling') return 'settling';
  if (tracker.ready) return 'ready';
  return tracker.isParked ? 'parked' : 'idle';
}

import { decodeShardingKey, keyBytes } from '../keys/sharding-key.js';
import type { UnfinishedWork } from '../testing/bench-work.interface.js';
import type { KeyQueue } from './keys/key-queue.js';
import type { OwnedShard } from './shards/owned-shard.js';

/** What is not finished. It visits every live key. */
export function unfinishedWork(queues: Iterable<KeyQueue>, shards: Iterable<OwnedShard>): UnfinishedWork[] {
  const found: UnfinishedWork[] = [];
  for (const queue of queues) found.push(...unfinishedOf(queue));
  for (const { index, unpublished } of shards) {
    if (unpublished > 0) found.push({ kind: 'outbox', shard: index, count: unpublished });
  }
  return found;
}

function* unfinishedOf(queue: KeyQueue): Generator<UnfinishedWork> {
  const { id, epoch, tracker, activation, running } = queue;
  const key = { key: decodeShardingKey(keyBytes(id)), shard: epoch.shard };
  const { callback } = activation;
  if (callback?.running === true) {
    const { name, message, attempt } = callback;
    yield { kind: 'callback', ...key, count: 1, callback: name, messageId: message?.messageId, attempt };
  }
  const { head, attempt, lastError, phase, length } = tracker;
  if (length > 0 && callback?.running !== true) {
    const kind = phase === 'backoff' ? 'backoff' : phase === 'settling' ? 'settling' : 'message';
    yield { kind, ...key, count: length, messageId: head?.messageId, attempt, error: lastError };
  } else if (length === 0 && !tracker.idle) {
    yield { kind: phase === 'settling' ? 'settling' : 'pressure', ...key, count: Math.max(1, tracker.parked) };
  }
  if (queue.signals > 0) yield { kind: 'signal', ...key, count: queue.signals };
  if (queue.committing) yield { kind: 'commit', ...key, count: 1 };
  // A turn between two callbacks, such as one that loads a state or is about to terminate.
  else if ((running || activation.ending !== undefined) && callback?.running !== true && length === 0) {
    yield { kind: 'callback', ...key, count: 1, callback: callback?.name };
  }
}

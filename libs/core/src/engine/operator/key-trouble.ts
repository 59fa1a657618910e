import type { KeyTrouble } from '../../interfaces/operator.interface.js';
import type { KeyQueue } from '../keys/key-queue.js';

/** What keeps a key from going on, the cause before its consequences. */
export function troubleOf(queue: KeyQueue): KeyTrouble | undefined {
  const { tracker, epoch } = queue;
  const { durable, side, environment } = epoch;
  const waits = tracker.length > 0 || tracker.parked > 0 || queue.committing;
  if ((callbackAge(queue) ?? 0) >= environment.options.hangingInterval) return 'hanging';
  if (waits && durable?.instance.link.awayFor !== undefined) return 'storeAway';
  if (tracker.letterWaits) return 'deadLetterRefused';
  if (tracker.isParked && side.stalled) return 'sideQueueFull';
  if (tracker.parkedState === 'held') return 'parked';
  if (tracker.awaitsInit && queue.activation.updater === undefined) return 'startFailing';
  if (tracker.parkedState === 'pressure') return 'pressure';
  const failing = tracker.phase === 'backoff' || (tracker.phase === 'attempting' && tracker.attempt > 1);
  return failing ? 'failing' : undefined;
}

/** How long the key's callback has run; `undefined` where none runs. Milliseconds. */
export function callbackAge({ activation, epoch }: KeyQueue): number | undefined {
  const { callback } = activation;
  if (callback?.running !== true) return undefined;
  return callback.since === undefined ? 0 : epoch.environment.clock.now() - callback.since;
}

/** How long the key's first message has been here; `undefined` where none is. Milliseconds. */
export function waitingOf({ tracker, epoch }: KeyQueue): number | undefined {
  const { headSince } = tracker;
  return headSince === undefined ? undefined : epoch.environment.clock.now() - headSince;
}

/**
 * How long the key's first message has been here or in the side queue; `undefined` where there is none. What lies parked is not late, so
 * the age of a shard's oldest message leaves it out, see {@link waitingOf}. Milliseconds.
 */
export function firstWaitingOf(queue: KeyQueue): number | undefined {
  const waiting = waitingOf(queue);
  const since = queue.tracker.firstParked?.since;
  return waiting ?? (since === undefined ? undefined : queue.epoch.environment.clock.now() - since);
}

import type { KeyFilter, KeyReport, KeyTrouble, KeyWatch } from '../../interfaces/operator.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
import { keyTextOf } from '../base/key-text.js';
import { stateOf } from '../keys/describe-key.js';
import type { KeyQueue } from '../keys/key-queue.js';
import { callbackAge, firstWaitingOf, troubleOf } from './key-trouble.js';
import { LONGEST_ERROR, textFor } from './shown-error.js';

/** A report as it travels: its key in the external term format, as base64. */
export interface KeyRow extends Omit<KeyReport, 'key' | 'process'> {
  readonly key: string;
}

/** Rows, and how many were left out. */
export interface KeyRows {
  readonly keys: readonly KeyRow[];
  readonly more: number;
}

/** A watched key, as it travels. */
export interface KeyWatchRow extends Pick<KeyWatch, 'stack' | 'events'> {
  readonly key?: KeyRow;
}

/** What decides about the order of rows. */
type Rank = Pick<KeyRow, 'trouble' | 'waiting' | 'callback'>;

export function rowOf(queue: KeyQueue, trouble: KeyTrouble | undefined = troubleOf(queue)): KeyRow {
  const { id, epoch, tracker, activation } = queue;
  const { head, first, firstParked, lastError, length, parked, attempt } = tracker;
  const age = callbackAge(queue);
  return {
    key: Buffer.from(keyBytes(id)).toString('base64'),
    text: keyTextOf(queue),
    shard: epoch.shard,
    state: stateOf(queue),
    trouble,
    queued: length,
    parked,
    parkedState: tracker.parkedState,
    parkReason: tracker.parkReason,
    attempt: head === undefined ? 0 : Math.max(1, attempt),
    // That of a key that a previous owner parked is what was noted.
    error: lastError === undefined ? firstParked?.error?.slice(0, LONGEST_ERROR) : textFor(lastError),
    head: first && { messageId: first.messageId, type: first.type },
    waiting: firstWaitingOf(queue),
    callback: age === undefined ? undefined : { name: activation.callback!.name, age },
  };
}

/** Keys of one shard. It visits every live one. */
export function rowsOf(queues: Iterable<KeyQueue>, { troubled, limit }: Required<Omit<KeyFilter, 'shard'>>): KeyRows {
  const found: (Rank & { readonly queue: KeyQueue })[] = [];
  for (const queue of queues) {
    const trouble = troubleOf(queue);
    if (troubled && trouble === undefined) continue;
    const age = callbackAge(queue);
    const callback = age === undefined ? undefined : { name: '', age };
    found.push({ queue, trouble, waiting: firstWaitingOf(queue), callback });
  }
  const most = found.sort(byUrgency).slice(0, limit);
  return { keys: most.map(({ queue, trouble }) => rowOf(queue, trouble)), more: found.length - most.length };
}

/** The most urgent of two lists. */
export function merged(one: KeyRows, other: KeyRows, limit: number): KeyRows {
  const keys = [...one.keys, ...other.keys].sort(byUrgency);
  return { keys: keys.slice(0, limit), more: one.more + other.more + Math.max(0, keys.length - limit) };
}

/**
 * Has all members, wherever the row came from: JSON leaves out those that are `undefined`.
 * @param process that has the key
 */
export function reportOf(row: KeyRow, process: string | undefined): KeyReport {
  const { text, shard, state, queued, parked, attempt, head } = row;
  return {
    key: decodeShardingKey(Buffer.from(row.key, 'base64')),
    text,
    shard,
    process,
    state,
    trouble: row.trouble,
    queued,
    parked,
    parkedState: row.parkedState,
    parkReason: row.parkReason,
    attempt,
    error: row.error,
    head: head && { messageId: head.messageId, type: head.type },
    waiting: row.waiting,
    callback: row.callback,
  };
}

/** The same of a watched one. */
export function watchOf({ key, stack, events }: KeyWatchRow, process: string | undefined): KeyWatch {
  const complete = events.map(({ number, at, type, messageId, attempt, text }) => {
    return { number, at, type, messageId, attempt, text };
  });
  return { report: key && reportOf(key, process), stack, events: complete };
}

/** Those in trouble first, and of these the one that has waited the longest. */
function byUrgency(one: Rank, other: Rank): number {
  const first = Number(other.trouble !== undefined) - Number(one.trouble !== undefined);
  return first === 0 ? ageOf(other) - ageOf(one) : first;
}

function ageOf({ waiting, callback }: Rank): number {
  return Math.max(waiting ?? 0, callback?.age ?? 0);
}

import type { ParkedState } from '../errors/index.js';
import type { ParkReason } from '../note-headers.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import type { MississippiEvent } from './events.interface.js';
import type { LiveKey } from './live-key.interface.js';

/**
 * What keeps a key from going on:
 * - `hanging`: a callback has run for longer than `hangingInterval`
 * - `failing`: its first message failed, and waits for its next attempt or has one
 * - `startFailing`: `init` failed at the last try
 * - `parked`: it is held until somebody resumes it
 * - `pressure`: it is parked under pressure and goes on by itself
 * - `storeAway`: the store does not answer
 * - `deadLetterRefused`: the dead letter of its first message was not taken, and is tried again
 * - `sideQueueFull`: what is to be parked of it waits until its shard's side queue has room
 * @publicApi
 */
export type KeyTrouble =
  'hanging' | 'failing' | 'startFailing' | 'parked' | 'pressure' | 'storeAway' | 'deadLetterRefused' | 'sideQueueFull';

/**
 * The first message of a key, in memory or in the side queue.
 * @publicApi
 */
export interface HeadReport {
  /** By which `retry`, `drop` and `dropAll` name it; `undefined` where it has none. */
  readonly messageId: string | undefined;
  /** The message's property `type`. */
  readonly type: string | undefined;
}

/**
 * The callback of a key that runs.
 * @publicApi
 */
export interface CallbackReport {
  /** `handleMessage`, `handleSignal`, `init`… */
  readonly name: string;
  /** How long it has run. Milliseconds. */
  readonly age: number;
}

/**
 * One key, as its owner sees it.
 * @publicApi
 */
export interface KeyReport {
  readonly key: ShardingKey;
  /** The key as the log shows keys. */
  readonly text: string;
  readonly shard: number;
  /** The process that has it, as `processes()` names it; `undefined` where nobody tells at present who takes part. */
  readonly process: string | undefined;
  readonly state: LiveKey['state'];
  /** `undefined` where nothing keeps it from going on. */
  readonly trouble: KeyTrouble | undefined;
  /** Messages in memory, the first one included. */
  readonly queued: number;
  /** Messages in the side queue or on their way there. */
  readonly parked: number;
  readonly parkedState: ParkedState | undefined;
  readonly parkReason: ParkReason | undefined;
  /** Which attempt at the first message runs or comes next; 0 where it is not in memory. */
  readonly attempt: number;
  /** What failed last, with its causes, at most 1,000 characters; of a key that a previous owner parked, what was noted of it. */
  readonly error: string | undefined;
  /** The first message; `undefined` where there is none in memory or parked. */
  readonly head: HeadReport | undefined;
  /**
   * How long the first message has been here, its attempts and its time in the side queue included; of one that is held, since it was moved
   * there. Milliseconds.
   */
  readonly waiting: number | undefined;
  readonly callback: CallbackReport | undefined;
}

/**
 * Something that has happened to a key.
 * @publicApi
 */
export interface RecentEvent {
  /** One more than that of the event before, so that whoever asks again knows which are new. */
  readonly number: number;
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly type: MississippiEvent['type'];
  readonly messageId: string | undefined;
  readonly attempt: number | undefined;
  /** The error, the reason or the mode, where it has one; at most about 1,000 characters. */
  readonly text: string | undefined;
}

/**
 * A key that somebody watches.
 * @publicApi
 */
export interface KeyWatch {
  /** `undefined` where nothing of it is in memory or parked. */
  readonly report: KeyReport | undefined;
  /** Where its last error was thrown, at most 4,000 characters. */
  readonly stack: string | undefined;
  /** The newest 50 at most, the oldest first. */
  readonly events: readonly RecentEvent[];
}

/**
 * Which keys are listed.
 * @publicApi
 */
export interface KeyFilter {
  /** Only those that something keeps from going on. Default `false`: all that live. */
  readonly troubled?: boolean;
  /** Only those of one shard. */
  readonly shard?: number;
  /** How many at most, those in trouble first and of these the ones that have waited the longest. Default 1,000. */
  readonly limit?: number;
}

/**
 * Keys, and what is not among them.
 * @publicApi
 */
export interface KeyList {
  readonly keys: readonly KeyReport[];
  /** Keys that were left out because of the limit. */
  readonly more: number;
  /** Shards whose owner was not reached, with the reason: their keys are not here. */
  readonly unanswered: readonly UnansweredShard[];
}

/** @publicApi */
export interface UnansweredShard {
  readonly shard: number;
  readonly reason: string;
}

/**
 * A key, and how many messages of it were finished while somebody looked.
 * @publicApi
 */
export interface BusyKey {
  readonly key: ShardingKey;
  /** The key as the log shows keys. */
  readonly text: string;
  readonly finished: number;
}

/**
 * What the owner of a shard says of it.
 * @publicApi
 */
export interface OwnedShardReport {
  readonly epoch: number;
  /** Keys with a data updater, or with messages. */
  readonly keys: number;
  /** Messages that were delivered and are neither handled nor set aside. */
  readonly inFlight: number;
  /** Messages of keys that are parked. */
  readonly parked: number;
  /** Whether it waits because its side queue is full. */
  readonly stalled: boolean;
  /** Messages that were finished in a second. */
  readonly rate: number;
  /** How long the oldest first message of a key has been here; `undefined` where none is. Milliseconds. */
  readonly oldest: number | undefined;
  /** How many keys each kind of trouble keeps from going on. */
  readonly troubles: Readonly<Partial<Record<KeyTrouble, number>>>;
  /**
   * How long what was finished during the look had been in the process, attempts and waiting included: pairs of at most so many milliseconds, in
   * steps of a fifth, and how many messages took that. Of more than 64 one in 16 is looked at, for as many.
   */
  readonly times: readonly (readonly [atMost: number, count: number])[];
  /** The keys of which most was finished during the look, at most 5; of more than 64 messages an estimate. */
  readonly busiest: readonly BusyKey[];
}

/**
 * One shard.
 * @publicApi
 */
export interface ShardReport {
  readonly shard: number;
  /** The process that owns it, as `processes()` names it; `undefined` where none does. */
  readonly process: string | undefined;
  /** Messages that wait in the broker and were not delivered; `undefined` where the transport does not tell. */
  readonly backlog: number | undefined;
  /** `undefined` where nobody owns it, or its owner was not reached. */
  readonly owned: OwnedShardReport | undefined;
}

/**
 * How far `dropAll` is.
 * @publicApi
 */
export interface DropProgress {
  readonly dropped: number;
  readonly left: number;
}

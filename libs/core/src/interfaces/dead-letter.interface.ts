import type { DeadLetterReason } from '../note-headers.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import type { MessageHeaders } from './message-headers.interface.js';
import type { MessageProperties } from './message-properties.interface.js';

/**
 * Which dead letters are meant: those to which all of it applies, and without any of it all.
 * @publicApi
 */
export interface DeadLetterFilter {
  /** That one alone. */
  readonly id?: string;
  readonly key?: ShardingKey;
  readonly reason?: DeadLetterReason;
  /** The message's property `type`. */
  readonly type?: string;
  /** Those that were given up at this time or later. */
  readonly since?: Date;
  /** Those that were given up before this time. */
  readonly until?: Date;
}

/**
 * A dead letter in a list.
 * @publicApi
 */
export interface DeadLetterReport {
  /** Made of what it is: the same each time it is read. A copy that came twice has the same. */
  readonly id: string;
  /** `undefined` where it has none that can be read. */
  readonly key: ShardingKey | undefined;
  /** The key as the log shows keys. */
  readonly text: string;
  readonly messageId: string | undefined;
  readonly type: string | undefined;
  /** `undefined` where something else than this library put it there. */
  readonly reason: string | undefined;
  readonly error: string | undefined;
  readonly attempts: number | undefined;
  readonly failedAt: Date | undefined;
  /** How often it was replayed before. */
  readonly replays: number;
  /** Bytes of its payload. */
  readonly size: number;
}

/**
 * A dead letter with all that there is of it.
 * @publicApi
 */
export interface DeadLetterDetails extends DeadLetterReport {
  /** The payload, decoded as the option `payload` says and shown as `redact` lets it be; `undefined` where that is not possible. */
  readonly payload: unknown;
  /** As it came; left out where `redact` is set. */
  readonly body: Uint8Array | undefined;
  /** The message's own, without the notes. */
  readonly headers: MessageHeaders;
  readonly properties: MessageProperties;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
  /** Where the error was thrown. */
  readonly stack: string | undefined;
}

/**
 * The first dead letters that a filter lets through, the oldest first.
 * @publicApi
 */
export interface DeadLetterList {
  readonly letters: readonly DeadLetterReport[];
  /** Whether there are more, which were left out because of the limit. */
  readonly more: boolean;
  /** How many there are of any kind, those that come meanwhile left out. */
  readonly total: number;
}

/**
 * How far a replay or a drop of dead letters is.
 * @publicApi
 */
export interface DeadLetterProgress {
  /** Dead letters that were looked at. */
  readonly read: number;
  /** How many there were when it began. */
  readonly total: number;
  /** Those that were replayed, or dropped. */
  readonly done: number;
  /** Those that the filter lets through and that have no key that can be read: they stay. */
  readonly withoutKey: number;
}

import type { CallbackName } from '../../src/engine/updaters/callback-run.js';
import type { ShardingKey } from '../../src/index.js';
import type { Attempt } from './scenario.js';

/** The scenarios' keys are texts. */
export function keyText(key: ShardingKey): string {
  if (typeof key !== 'string') throw new TypeError('the scenarios have no such key');
  return key;
}

/** A message of the transport, as the history knows it. */
export interface MessageRecord {
  readonly text: string;
  readonly key: string;
  /** Its place in the publishing order of the key. */
  readonly index: number;
  readonly plan: readonly Attempt[];
  /** The payload cannot be decoded, so that no attempt of it may start. */
  readonly garbled: boolean;
  attempts: number;
  /** Processes in which an attempt of it succeeded. */
  readonly handledIn: Set<string>;
  /** It was set aside in a side queue at least once. */
  wasParked: boolean;
  /** The broker has forgotten it: it was settled, or went to the dead letters. */
  gone: boolean;
  deadLettered: boolean;
}

/** A message that bypasses the transport. */
export interface DirectRecord {
  readonly text: string;
  readonly process: string;
  readonly key: string;
  readonly plan: readonly Attempt[];
  attempts: number;
  handled: boolean;
  /** How often its caller was told the end. */
  ends: number;
}

/** One epoch of one shard in one process. */
export interface EpochRecord {
  readonly text: string;
  readonly process: string;
  readonly shard: number;
  /** By key: what the engine got and has not finished, in the order in which it came. */
  readonly fifos: Map<string, (MessageRecord | DirectRecord)[]>;
  /** Nothing may be settled any more. */
  ended: boolean;
  /** It ended without the process's doing. */
  lost: boolean;
  /** No attempt may start. */
  suspended: boolean;
  /** When a drain that is under way gives up waiting; `undefined` without one. */
  drainEnds: number | undefined;
  /** How many attempts of each message started. */
  readonly attempts: Map<MessageRecord, number>;
  /** Messages of which an attempt said discard. */
  readonly discards: Set<MessageRecord>;
}

/** The state that `init` made: the history follows it through every callback. */
export interface KeyState {
  readonly updater: number;
  readonly version: number;
}

/** One data updater of one process. */
export interface UpdaterRecord {
  readonly updater: number;
  readonly epoch: EpochRecord;
  version: number;
  /** A callback failed or said stop: only `terminate` may follow. */
  ending: boolean;
}

/** One run of one callback. */
export interface CallbackRecord {
  readonly text: string;
  readonly name: CallbackName;
  readonly process: string;
  readonly key: string;
  readonly epoch: EpochRecord;
  readonly startedAt: number;
  readonly message: MessageRecord | DirectRecord | undefined;
  /** The state that it was given; none in `init`. */
  readonly state: KeyState | undefined;
}

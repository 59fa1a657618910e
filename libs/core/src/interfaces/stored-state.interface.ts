import type { ShardingKey } from '../keys/sharding-key.js';

/**
 * The state of a key, as the store has it.
 * @publicApi
 */
export interface StateReport<State = unknown> {
  /** As the option `redact` lets it be seen; `undefined` where it cannot be read. */
  readonly state: State | undefined;
  /** Whether `redact` lets something else be seen than the state: whoever edits what he sees would lose what he does not. */
  readonly redacted: boolean;
  /** Why it cannot be read, where that is so. */
  readonly problem: string | undefined;
  /** Names this very state for an edit: each commit that writes the state of the key gives it another, larger one. From 1. */
  readonly version: number;
  /** By the store's clock; `undefined` where it was written before the store kept it. */
  readonly changedAt: Date | undefined;
  /** The `stateVersion` of the handler that wrote it. */
  readonly form: number;
  /** As it is stored; left out where `redact` is set. */
  readonly bytes: Uint8Array | undefined;
  /** Bytes of it. */
  readonly size: number;
}

/**
 * Who changes a state, why, and which state he means.
 * @publicApi
 */
export interface StateChangeOptions {
  /** The {@link StateReport.version} of the state that is replaced; 0, or left out, where there is none. */
  readonly version?: number | undefined;
  /** Who does it: a text of 1 to 1,000 characters, for the audit trail. */
  readonly by: string;
  /** Why: a text of 1 to 1,000 characters, for the audit trail. */
  readonly reason: string;
}

/**
 * Which entries of the audit trail are listed.
 * @publicApi
 */
export interface AuditFilter {
  /** Only those of one key. */
  readonly key?: ShardingKey;
  /** Those of this time or later. */
  readonly since?: Date;
  /** How many at most, the newest first. Default 1,000. */
  readonly limit?: number;
}

/**
 * What an operator did to the state of a key.
 * @publicApi
 */
export interface AuditEntry {
  readonly id: string;
  /** By the store's clock. */
  readonly at: Date;
  readonly key: ShardingKey;
  /** The key as the log shows keys. */
  readonly text: string;
  readonly action: 'edited' | 'forgotten';
  /** Who did it, as he said. */
  readonly by: string;
  /** Why, as he said. */
  readonly reason: string;
  /** The process that did it, as `host:pid`. */
  readonly process: string;
  /** The version of the state that was replaced; 0 where there was none. */
  readonly versionBefore: number;
  /** That of the state that he gave; 0 where he gave none. */
  readonly versionAfter: number;
  /** The state before, as the option `redact` lets it be seen; `undefined` where there was none, or it cannot be read. */
  readonly previous: unknown;
  /** Why it cannot be read, where that is so. */
  readonly problem: string | undefined;
  /** As it was stored; left out where `redact` is set. */
  readonly previousBytes: Uint8Array | undefined;
}

/**
 * The newest entries of the audit trail that a filter lets through.
 * @publicApi
 */
export interface AuditList {
  readonly entries: readonly AuditEntry[];
  /** Whether there are more, which were left out because of the limit. */
  readonly more: boolean;
}

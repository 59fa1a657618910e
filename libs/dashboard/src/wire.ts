import type {
  DeadLetterDetails,
  DeadLetterReport,
  KeyReport,
  KeyTrouble,
  OwnedShardReport,
  ProcessInfo,
} from '@mississippi/core';
import type { RecentEvent } from '@mississippi/core';

/**
 * What goes to the page and comes from it, as JSON. A key goes by its address: the external term format, as base64url, which
 * every kind of key has.
 */
export type KeyAddress = string;

export interface WireKey extends Omit<KeyReport, 'key'> {
  readonly key: KeyAddress;
}

export interface WireBusyKey {
  readonly key: KeyAddress;
  readonly text: string;
  readonly shard: number;
  /** Messages a second. */
  readonly rate: number;
}

export interface WireShard extends Omit<OwnedShardReport, 'busiest' | 'times' | 'troubles'> {
  readonly shard: number;
  /** Index in the list of processes; -1 where nobody owns it. */
  readonly process: number;
  readonly backlog: number | undefined;
  /** `false` where nobody owns it or its owner was not reached; then all figures are 0. */
  readonly answered: boolean;
}

/** The sums of a look. */
export interface Point {
  /** Unix time, milliseconds. */
  readonly at: number;
  readonly rate: number;
  readonly backlog: number;
  readonly inFlight: number;
  readonly parked: number;
  /** Of the time from a message's delivery until it was finished. Milliseconds; `null` where none was. */
  readonly median: number | null;
  readonly slow: number | null;
}

export interface Snapshot extends Point {
  /** How long the look took. Milliseconds. */
  readonly took: number;
  readonly processes: readonly ProcessInfo[];
  readonly shards: readonly WireShard[];
  readonly troubles: Readonly<Partial<Record<KeyTrouble, number>>>;
  readonly stuck: readonly WireKey[];
  readonly busiest: readonly WireBusyKey[];
  /** What could not be looked at. */
  readonly problems: readonly string[];
}

/** A key while somebody watches it. */
export interface WatchedKey {
  readonly at: number;
  readonly text: string;
  /** `null` where nothing of it is in memory or parked. */
  readonly key: WireKey | null;
  readonly stack: string | null;
  readonly events: readonly RecentEvent[];
  readonly problem: string | null;
}

/** The stored state of a key. */
export interface WireState {
  /** As `redact` lets it be seen; `null` where there is none, or it cannot be read. */
  readonly text: string | null;
  /** Why it cannot be read. */
  readonly problem: string | null;
  /** Goes with each action on it; 0 where there is none. */
  readonly version: number;
  readonly changedAt: number | null;
  readonly form: number | null;
  /** Bytes, as it is stored. */
  readonly size: number;
  /** Why the page offers no editor for it. */
  readonly locked: string | null;
}

export interface WireAuditEntry {
  readonly id: string;
  readonly at: number;
  readonly action: 'edited' | 'forgotten';
  readonly by: string;
  readonly reason: string;
  readonly process: string;
  readonly versionBefore: number;
  readonly versionAfter: number;
  /** The state before, as `redact` lets it be seen; `null` where there was none. */
  readonly before: string | null;
}

/** The newest first. */
export interface WireAudit {
  readonly entries: readonly WireAuditEntry[];
  readonly more: boolean;
}

export interface WireLetter extends Omit<DeadLetterReport, 'key' | 'failedAt'> {
  readonly key: KeyAddress | null;
  readonly failedAt: number | null;
}

export interface WireLetterDetails extends WireLetter, Pick<DeadLetterDetails, 'timestamp' | 'stack'> {
  /** As text, whatever it is. */
  readonly payload: string;
  readonly headers: string;
  readonly properties: string;
}

export interface WireLetters {
  readonly at: number;
  readonly letters: readonly WireLetter[];
  readonly more: boolean;
  readonly total: number;
}

export interface WireKeys {
  readonly keys: readonly WireKey[];
  readonly more: number;
  readonly unanswered: readonly { readonly shard: number; readonly reason: string }[];
}

/** What an action is about, which decides where it is offered. */
export type ActionTarget = 'key' | 'state' | 'auditEntry' | 'letter' | 'letters' | 'process' | 'type';

/**
 * When an action makes sense: of a key, `held`, `notHeld` or `waiting`; of a state, `stored`, or `edited` while its editor is open; of a
 * process and a type, `open` or `paused`.
 */
export type ActionWhen = 'always' | 'held' | 'notHeld' | 'waiting' | 'stored' | 'edited' | 'open' | 'paused';

/** An action as the page offers it. */
export interface ActionInfo {
  readonly name: string;
  readonly target: ActionTarget;
  readonly label: string;
  /** What will happen, what will not, and what an interruption leaves. */
  readonly says: string;
  /** Whether it takes something away that no other action brings back as it was. */
  readonly final: boolean;
  /** Whether it is asked who does it and why, for the audit trail. */
  readonly signed: boolean;
  readonly when: ActionWhen;
}

export interface Hello {
  readonly instance: string;
  readonly csrf: string;
  /** Whether actions are switched on. */
  readonly acts: boolean;
  readonly actions: readonly ActionInfo[];
}

export interface WireError {
  readonly code: string;
  readonly message: string;
}

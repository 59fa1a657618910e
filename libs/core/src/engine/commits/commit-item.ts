import { keyId } from '../../keys/sharding-key.js';
import type {
  InboxEntry,
  OutboxMessage,
  OutboxPosition,
  ShardCommit,
  StateAudit,
  StateChange,
  StoreTransaction,
} from '../../store/store.interface.js';

const NOTHING: readonly never[] = [];

/** What changes in the store with it. */
export interface Changes {
  readonly state: StateChange | undefined;
  /** Who changed the state, where an operator did. */
  readonly audit: StateAudit | undefined;
  readonly handled: InboxEntry | undefined;
  readonly outbox: readonly OutboxMessage[];
  readonly sent: readonly OutboxPosition[];
  /** Enqueued messages that are among the outbox rows. */
  readonly taken: readonly string[];
  /** The handler's own writes, with which it is committed alone. */
  readonly transaction: StoreTransaction | undefined;
  /** It is committed though there is nothing to write, to see whether the store takes commits. */
  readonly probes: boolean;
}

export const NO_CHANGES: Changes = {
  state: undefined,
  audit: undefined,
  handled: undefined,
  outbox: NOTHING,
  sent: NOTHING,
  taken: NOTHING,
  transaction: undefined,
  probes: false,
};

/** One callback's end on its way into the store: it happens whole or not at all. */
export interface CommitItem {
  readonly changes: Changes;
  /** It is to be left out: something before it, on which it stands, was refused. */
  readonly dropped: boolean;
  /**
   * It was committed, or has nothing to commit and all before it of the shard was.
   * @param at the number of the commit, and where in it the item's outbox rows begin
   */
  committed(at: CommittedAt): void;
  /** The store took nothing, for no fault of the group's, and it is tried again. */
  postponed?(): void;
  /** The store refuses it for good, and nothing of it was written. Those behind it of the same key are dropped by then. */
  refused(error: Error): void;
}

/** What follows an item's commit, where anything does. */
export interface ItemEnds {
  committed?(at: CommittedAt): void;
  postponed?(): void;
  refused?(error: Error): void;
}

/** An item that stands on no other, such as one that no callback caused. */
export function itemOf(changes: Partial<Changes>, ends: ItemEnds = {}): CommitItem {
  return {
    changes: { ...NO_CHANGES, ...changes },
    dropped: false,
    committed: (at) => ends.committed?.(at),
    postponed: () => ends.postponed?.(),
    refused: (error) => ends.refused?.(error),
  };
}

/** Where the rows of an item came to lie. */
export interface CommittedAt {
  readonly number: number;
  readonly firstRow: number;
}

/** Whether there is nothing to write. */
export function isEmpty({ state, audit, handled, outbox, sent, taken, transaction, probes }: Changes): boolean {
  return (
    state === undefined &&
    audit === undefined &&
    handled === undefined &&
    outbox.length === 0 &&
    sent.length === 0 &&
    taken.length === 0 &&
    transaction === undefined &&
    !probes
  );
}

/** About how many bytes it takes, for the bounds of a group. */
export function weightOf({ state, audit, outbox }: Changes): number {
  let weight = 200 + (state?.state?.bytes.length ?? 0) + (audit?.previous?.bytes.length ?? 0);
  for (const message of outbox) weight += 200 + message.body.length;
  return weight;
}

/** What several items of one shard commit together: of several states of one key the last. */
export function together(items: readonly CommitItem[]): Pick<
  ShardCommit,
  'states' | 'audit' | 'handled' | 'outbox' | 'sent' | 'taken'
> & {
  readonly firstRows: readonly number[];
} {
  const states = new Map<string, StateChange>();
  const audit: StateAudit[] = [];
  const handled = new Map<string, InboxEntry>();
  const outbox: OutboxMessage[] = [];
  const sent: OutboxPosition[] = [];
  const taken: string[] = [];
  const firstRows: number[] = [];
  for (const { changes } of items) {
    firstRows.push(outbox.length);
    if (changes.state !== undefined) states.set(keyId(changes.state.key), changes.state);
    if (changes.audit !== undefined) audit.push(changes.audit);
    // A replay may follow what it replays.
    if (changes.handled !== undefined) handled.set(identityOf(changes.handled), changes.handled);
    for (const message of changes.outbox) outbox.push(message);
    for (const position of changes.sent) sent.push(position);
    for (const id of changes.taken) taken.push(id);
  }
  return { states: [...states.values()], audit, handled: [...handled.values()], outbox, sent, taken, firstRows };
}

function identityOf({ key, messageId }: InboxEntry): string {
  return `${keyId(key)}\n${messageId}`;
}

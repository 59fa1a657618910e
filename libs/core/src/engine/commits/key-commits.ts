import { isEmpty, type Changes, type CommitItem, type CommittedAt } from './commit-item.js';
import { FinishedIds } from './finished-ids.js';
import type { DurableEpoch } from './durable-epoch.js';

/** Uncommitted callbacks of a key above which no other message of it starts. */
const MOST_UNCOMMITTED = 200;

/** What follows a commit, and what is undone where there is none. */
export interface Effect {
  committed(at: CommittedAt): void;
  /** Of the message that it finishes, where there is one: when it is undone the message waits again. */
  readonly ticket?: number | undefined;
  /** The shard was lost before the outcome was known, or before anything was sent. */
  abandoned(): void;
  /** It, or what it stands on, was refused: it is as if it had not been. */
  undone(error: Error): void;
}

/** Nobody waits for it. */
export const NO_EFFECT: Effect = {
  committed: () => undefined,
  abandoned: () => undefined,
  undone: () => undefined,
};

/** The key whose callbacks are committed. */
export interface CommittingKey {
  readonly id: string;
  /** Something may go on that waited for a commit. */
  committed(): void;
  /**
   * The store refuses what the first effect stands for. It and what follows it is undone, in this order.
   */
  undo(effects: readonly Effect[], error: Error): void;
}

class KeyItem implements CommitItem {
  dropped = false;

  constructor(
    private readonly commits: KeyCommits,
    readonly changes: Changes,
    readonly effect: Effect,
  ) {}

  committed(at: CommittedAt): void {
    this.commits.committed(this, at);
  }

  refused(error: Error): void {
    this.commits.refused(this, error);
  }
}

/** The callbacks of one key whose commit is pending, in order. */
export class KeyCommits {
  /** What was finished and the answers of the inbox may not know. */
  readonly finished = new FinishedIds();
  private items: KeyItem[] = [];
  private waiters: ((undone: boolean) => void)[] = [];

  constructor(
    private readonly key: CommittingKey,
    private readonly durable: DurableEpoch,
  ) {}

  get pending(): number {
    return this.items.length;
  }

  /** Whether no other message may start. */
  get full(): boolean {
    return this.items.length >= MOST_UNCOMMITTED;
  }

  add(changes: Changes, effect: Effect): void {
    if (this.items.length === 0 && isEmpty(changes)) {
      effect.committed({ number: this.durable.commits.number, firstRow: 0 });
      return;
    }
    if (changes.state !== undefined) this.durable.dropAhead(this.key.id);
    const item = new KeyItem(this, changes, effect);
    this.items.push(item);
    this.durable.commits.add(item);
  }

  /**
   * What the key finished with an id, and the answer of the inbox may not know.
   * @param ticket of the message that is asked about, which has waited the longest
   */
  find(messageId: string, ticket: number) {
    return this.finished.find(messageId, Math.min(ticket, this.oldest));
  }

  /**
   * Calls back when nothing of the key is pending, at once where nothing is.
   * @param then gets whether something was refused, and undone
   */
  whenSettled(then: (undone: boolean) => void): void {
    if (this.items.length === 0) then(false);
    else this.waiters.push(then);
  }

  /** The shard is lost. */
  abandon(): void {
    const { items } = this;
    this.items = [];
    for (const item of items) {
      item.dropped = true;
      item.effect.abandoned();
    }
    this.tell(true);
  }

  committed(item: KeyItem, at: CommittedAt): void {
    if (this.items[0] !== item) return; // Abandoned meanwhile.
    this.items.shift();
    item.effect.committed(at);
    if (this.items.length === 0) this.tell(false);
    this.key.committed();
  }

  refused(item: KeyItem, error: Error): void {
    if (this.items[0] !== item) return;
    const { items } = this;
    this.items = [];
    for (const later of items) later.dropped = true;
    this.key.undo(
      items.map(({ effect }) => effect),
      error,
    );
    this.tell(true);
    this.key.committed();
  }

  /** Ticket of the first message that is finished and not committed. */
  private get oldest(): number {
    for (const { effect } of this.items) if (effect.ticket !== undefined) return effect.ticket;
    return Infinity;
  }

  private tell(undone: boolean): void {
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter(undone);
  }
}

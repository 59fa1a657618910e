import { randomBytes } from 'node:crypto';
import type { LostCommit, ShardCommit, ShardOpening } from '../../store/store.interface.js';
import { isEmpty, together, weightOf, type CommitItem } from './commit-item.js';

/** The most that one shard brings into a group. */
export const MOST_ITEMS = 1_000;
/** Bytes. */
export const MOST_WEIGHT = 4_000_000;

const TOKEN_BYTES = 16;

/** Whom a shard tells that something waits. */
export interface CommitTaker {
  request(shard: ShardCommits): void;
}

/** A commit, and where the outbox rows of each of its items begin. */
export type NextCommit = ShardCommit & Pick<LostCommit, 'voidToken'> & { readonly firstRows: readonly number[] };

/** What one epoch of one shard commits: in order, one commit at a time, each with the next number. */
export class ShardCommits {
  /** Number of the last commit, or of the last that was made void. */
  number = 0;
  /** Whether a commit is under way. */
  busy = false;
  readonly epoch: number;
  private waiting: CommitItem[] = [];
  private ended = false;
  private readonly listeners = new Set<() => void>();
  private token: Uint8Array;

  constructor(
    readonly shard: number,
    opening: ShardOpening,
    private readonly taker: CommitTaker,
    /** The epoch cannot go on: the store knows a later one, or a message that this one does not know. */
    private readonly onStale: (error: Error) => void,
  ) {
    this.epoch = opening.epoch;
    this.token = opening.token;
  }

  /** Whether anything is to be committed. */
  get ready(): boolean {
    return !this.busy && !this.ended && this.waiting.length > 0;
  }

  /** Whether a transaction of a handler's is next. */
  get transacts(): boolean {
    return this.ready && this.waiting.find(({ dropped }) => !dropped)?.changes.transaction !== undefined;
  }

  /** Whether nothing waits or is under way. */
  get idle(): boolean {
    return !this.busy && this.waiting.length === 0;
  }

  /** Puts an item behind all others of the shard. */
  add(item: CommitItem): void {
    if (this.ended) return;
    this.waiting.push(item);
    if (!this.busy) this.taker.request(this);
  }

  /** What is committed next: one transaction of a handler alone, or items up to the bounds. */
  take(): CommitItem[] {
    this.waiting = this.waiting.filter(({ dropped }) => !dropped);
    let count = 0;
    let weight = 0;
    for (const { changes } of this.waiting) {
      if (changes.transaction !== undefined) {
        count ||= 1;
        break;
      }
      weight += weightOf(changes);
      if (count > 0 && weight > MOST_WEIGHT) break;
      if (++count === MOST_ITEMS) break;
    }
    const taken = this.waiting.splice(0, count);
    this.busy = taken.length > 0;
    return taken;
  }

  /** The first transaction of a handler's, which nothing of its key waits in front of. */
  takeTransaction(): CommitItem[] {
    const place = this.waiting.findIndex(({ changes, dropped }) => changes.transaction !== undefined && !dropped);
    if (place < 0 || this.busy) return [];
    this.busy = true;
    return this.waiting.splice(place, 1);
  }

  /** The next commit, of these items. `undefined` where they have nothing to write. */
  commitOf(items: readonly CommitItem[]): NextCommit | undefined {
    return items.every(({ changes }) => isEmpty(changes)) ? undefined : this.next(items);
  }

  /** The next commit with nothing in it but the fence. */
  emptyCommit(): NextCommit {
    return this.next([]);
  }

  /** The store has gone on to this number. */
  passed(number: number, token: Uint8Array): void {
    this.number = number;
    this.token = token;
  }

  /** The commit under way has ended, one way or another. */
  free(): void {
    this.busy = false;
    if (this.ready) this.taker.request(this);
  }

  /** The epoch is over in the store. */
  stale(error: Error): void {
    if (this.ended) return;
    this.end();
    this.onStale(error);
  }

  /** The epoch has ended: nothing is committed any more that is not under way. */
  end(): void {
    this.ended = true;
    this.waiting = [];
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const tell of listeners) tell();
  }

  /**
   * Calls back when the epoch ends, if it has not ended by then.
   * @returns what makes it forget that
   */
  whenOver(tell: () => void): () => void {
    this.listeners.add(tell);
    return () => void this.listeners.delete(tell);
  }

  get over(): boolean {
    return this.ended;
  }

  private next(items: readonly CommitItem[]): NextCommit {
    const { shard, epoch, number, token: previous } = this;
    const token = randomBytes(TOKEN_BYTES);
    const voidToken = randomBytes(TOKEN_BYTES);
    return { shard, epoch, number: number + 1, previous, token, voidToken, ...together(items) };
  }
}

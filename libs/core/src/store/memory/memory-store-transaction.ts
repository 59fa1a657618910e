import { CommitRefusedError } from '../../errors/index.js';
import { copyCommit } from './copies.js';
import type { CommitVerdict, ShardCommit, StoreTransaction } from '../store.interface.js';

/**
 * What `context.transaction()` gives where the store is `memoryStore()`: names and texts, so that a handler which writes in
 * its message's transaction can be tested. It sees what others have committed and what it has set itself. Nothing is locked:
 * of two transactions that set one name the later commit stands.
 * @publicApi
 */
export interface MemoryStoreClient {
  get(name: string): Promise<string | undefined>;
  /** Rejects what is no text, after which the transaction can only fail, as one of a real database. */
  set(name: string, value: string): Promise<void>;
}

/** What a transaction needs of its connection. */
export interface TransactionHost {
  readonly values: Map<string, string>;
  /** Resolves in a later round, or rejects when there is no connection any more. */
  ask<T>(question: () => T): Promise<T>;
  commit(commits: readonly ShardCommit[]): readonly CommitVerdict[];
}

/** A handler's own writes, kept until they are committed with its message. */
export class MemoryStoreTransaction implements StoreTransaction {
  private readonly writes = new Map<string, string>();
  private failure: unknown;
  private ended = false;

  readonly client: MemoryStoreClient = {
    get: (name) => this.run(() => this.writes.get(name) ?? this.host.values.get(name)),
    set: (name, value) =>
      this.run(() => {
        if (typeof name !== 'string' || typeof value !== 'string') throw new TypeError('A name and a text are needed.');
        this.writes.set(name, value);
      }),
  };

  constructor(private readonly host: TransactionHost) {}

  async commit(commit: ShardCommit): Promise<CommitVerdict> {
    this.checkOpen();
    this.ended = true;
    const copy = copyCommit(commit);
    return this.host.ask(() => {
      if (this.failure !== undefined) {
        throw new CommitRefusedError('content', 'A write of this transaction had failed.', { cause: this.failure });
      }
      const verdict = this.host.commit([copy])[0]!;
      if (verdict === 'committed') for (const [name, value] of this.writes) this.host.values.set(name, value);
      return verdict;
    });
  }

  async abandon(): Promise<void> {
    this.ended = true;
  }

  private async run<T>(question: () => T): Promise<T> {
    this.checkOpen();
    return this.host.ask(() => {
      this.checkOpen();
      if (this.failure !== undefined) throw new Error('The transaction has failed.', { cause: this.failure });
      try {
        return question();
      } catch (error) {
        this.failure = error;
        throw error;
      }
    });
  }

  private checkOpen(): void {
    if (this.ended) throw new Error('The transaction is over: it ends with its callback.');
  }
}

import { CommitRefusedError, StoreUnavailableError } from '../../errors/index.js';
import { copyCommit, copyLost, copyMessage } from './copies.js';
import { MemoryTransaction } from './memory-transaction.js';
import type { InstanceTables } from './instance-tables.js';
import { MemoryStoreTransaction } from './memory-store-transaction.js';
import type {
  AuditedState,
  AuditQuestion,
  CommitResolution,
  CommitVerdict,
  EnqueuedMessage,
  InboxEntry,
  LoadedState,
  LostCommit,
  MessageIdentity,
  OutboxMessage,
  OutboxPosition,
  OutboxRow,
  ShardCommit,
  ShardOpening,
  StoreConnection,
  StoreContext,
  StoreStatus,
  StoreTransaction,
} from '../store.interface.js';

/** A connection to a database in memory, which answers in a later round of the event loop, as a server would. */
export class MemoryStoreConnection implements StoreConnection {
  private closed = false;

  constructor(
    private readonly tables: InstanceTables,
    private readonly values: Map<string, string>,
    private readonly context: StoreContext,
  ) {}

  status(): StoreStatus {
    return this.closed ? { connected: false, problem: 'the connection is closed' } : { connected: true };
  }

  openShard(shard: number): Promise<ShardOpening> {
    return this.ask(() => this.tables.fence(shard).open());
  }

  load(keys: readonly Uint8Array[]): Promise<readonly (LoadedState | undefined)[]> {
    return this.ask(() => keys.map((key) => this.tables.states.get(key, this.context.clock.time())));
  }

  audit(question: AuditQuestion): Promise<readonly AuditedState[]> {
    return this.ask(() => this.tables.audit.read(question));
  }

  lookUp(messages: readonly MessageIdentity[]): Promise<readonly (InboxEntry | undefined)[]> {
    return this.ask(() => messages.map((message) => this.tables.inbox.get(message)));
  }

  async commit(commits: readonly ShardCommit[]): Promise<readonly CommitVerdict[]> {
    const copies = commits.map(copyCommit);
    return this.ask(() => this.commitNow(copies));
  }

  resolve(commit: LostCommit): Promise<CommitResolution> {
    const copy = copyLost(commit);
    return this.ask(() => this.tables.fence(copy.shard).resolve(copy));
  }

  outbox(shard: number, after: OutboxPosition | undefined, limit: number): Promise<readonly OutboxRow[]> {
    return this.ask(() => this.tables.outbox(shard).read(after, limit));
  }

  /** Forgets nothing. */
  maintain(): Promise<void> {
    return this.ask(() => undefined);
  }

  begin(): Promise<StoreTransaction> {
    return this.ask(
      () =>
        new MemoryStoreTransaction({
          values: this.values,
          ask: (question) => this.ask(question),
          commit: (commits) => this.commitNow(commits),
        }),
    );
  }

  async enqueue(transaction: unknown, shard: number, messages: readonly OutboxMessage[]): Promise<void> {
    if (!(transaction instanceof MemoryTransaction)) {
      throw new CommitRefusedError(
        'content',
        'The transaction is none of a MemoryStoreDatabase: make it by database.begin().',
      );
    }
    const copies = messages.map(copyMessage);
    transaction.atCommit(() => this.tables.enqueue(shard, copies));
  }

  enqueued(shards: readonly number[], limit: number): Promise<readonly EnqueuedMessage[]> {
    return this.ask(() =>
      [...this.tables.enqueued]
        .filter(([, { shard }]) => shards.includes(shard))
        .slice(0, limit)
        .map(([id, { shard, message }]) => ({ id, shard, message: copyMessage(message) })),
    );
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.tables.holder === this) this.tables.holder = undefined;
    await new Promise<void>((resolve) => this.context.clock.soon(resolve));
  }

  private commitNow(commits: readonly ShardCommit[]): readonly CommitVerdict[] {
    return this.tables.commit(commits, this.context.clock.time());
  }

  private ask<T>(question: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.context.clock.soon(() => {
        try {
          if (this.closed) throw new StoreUnavailableError('The connection to the store in memory is closed.');
          resolve(question());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

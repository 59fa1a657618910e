import type { CommitVerdict, ShardCommit, StoreTransaction } from '../../store/store.interface.js';

/** A transaction that has the store's only session: it gives it back at its end. */
export class ReservedTransaction implements StoreTransaction {
  constructor(
    private readonly transaction: StoreTransaction,
    private readonly release: () => void,
  ) {
    // A store may end it by itself, long before its handler ends.
    void transaction.released?.then(release);
  }

  get client(): unknown {
    return this.transaction.client;
  }

  async commit(commit: ShardCommit): Promise<CommitVerdict> {
    try {
      return await this.transaction.commit(commit);
    } finally {
      this.release();
    }
  }

  async abandon(): Promise<void> {
    try {
      await this.transaction.abandon();
    } finally {
      this.release();
    }
  }
}

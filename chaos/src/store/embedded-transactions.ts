import type { PGlite } from '@electric-sql/pglite';
import type { Client, Transactions } from './enqueuer.js';

/** Transactions of a PGlite, for which everything else of it waits. */
export class EmbeddedTransactions implements Transactions {
  constructor(private readonly pglite: PGlite) {}

  run<T>(work: (client: Client) => Promise<T>, how: 'commit' | 'rollback'): Promise<T> {
    return this.pglite.transaction(async (transaction) => {
      const result = await work(transaction);
      if (how === 'rollback') await transaction.rollback();
      return result;
    });
  }
}

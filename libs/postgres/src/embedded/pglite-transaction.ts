import { randomUUID } from 'node:crypto';
import { CommitRefusedError } from '@mississippi/core';
import type { OpenTransaction } from '../database/database.interface.js';
import { GuardedClient } from '../database/guarded-client.js';
import { TransactionOverError } from '../errors/transaction.errors.js';
import { firstOfLast, MARK } from '../statements/commit.js';
import { inline, type Filled } from '../statements/statement.js';
import { withoutContent, type Pglite, type PgliteTransaction } from './pglite.js';

/** How the callback, in which a PGlite keeps its transaction open, ends. */
interface Ending {
  readonly last: Filled;
}

/**
 * What a handler sets on the only session would outlive its transaction, and these would keep the store from its work. Other settings are
 * the app's.
 */
const USABLE = ['transaction_read_only', 'transaction_isolation', 'transaction_deferrable']
  .map((name) => `default_${name}`)
  .concat('statement_timeout', 'lock_timeout')
  .map((name) => `RESET ${name}`)
  .join(';\n');

/** A handler's transaction on a PGlite, whose only session it has for as long. */
export class EmbeddedTransaction implements OpenTransaction {
  readonly client: GuardedClient;
  private readonly mark = randomUUID();
  /** Settles when the session is free for others. */
  readonly done: Promise<void>;
  private finish!: (ending: Ending | Error) => void;
  private isOver = false;
  private idle: NodeJS.Timeout | undefined;

  private constructor(
    pglite: Pglite,
    private readonly idleTimeout: number,
    opened: (error?: unknown) => void,
  ) {
    let inner: PgliteTransaction | undefined;
    this.client = new GuardedClient(async (sql, params) => {
      clearTimeout(this.idle);
      try {
        const { rows, affectedRows } = await inner!.query(sql, [...params]);
        return { rows, rowCount: affectedRows || rows.length };
      } finally {
        this.watch();
      }
    });
    const ending = new Promise<Ending | Error>((resolve) => (this.finish = resolve));
    this.done = pglite.transaction(async (transaction) => {
      await transaction.exec(`SET LOCAL ${MARK} = '${this.mark}'`);
      inner = transaction;
      this.watch();
      opened();
      const how = await ending;
      // A query under way is not interrupted: it runs in this process, and ends.
      await this.client.settled();
      if (how instanceof Error) throw how;
      const last = inline(how.last.statement, how.last.params);
      await withoutContent(transaction.exec([firstOfLast(this.mark), last, USABLE].join(';\n')));
    });
    this.done.catch(opened);
  }

  /** Waits until nobody else has the session. */
  static async begin(pglite: Pglite, idleTimeout: number): Promise<EmbeddedTransaction> {
    let transaction!: EmbeddedTransaction;
    await new Promise<void>((resolve, reject) => {
      transaction = new EmbeddedTransaction(pglite, idleTimeout, (error) =>
        error === undefined ? resolve() : reject(error),
      );
    });
    return transaction;
  }

  async commit(last: Filled): Promise<void> {
    this.client.end('it was committed, or its commit has failed');
    if (!this.isOver) this.end({ last });
    try {
      await this.done;
    } catch (error) {
      if (error instanceof TransactionOverError)
        throw new CommitRefusedError('content', error.message, { cause: error });
      throw error;
    }
  }

  async abandon(): Promise<void> {
    this.client.abandon('it was abandoned');
    if (!this.isOver) this.end(new TransactionOverError('it was abandoned'));
    await this.done.catch(() => undefined);
  }

  private end(how: Ending | Error): void {
    this.isOver = true;
    clearTimeout(this.idle);
    this.finish(how);
  }

  /** As a server ends one whose client asks nothing: others wait for the only session. */
  private watch(): void {
    clearTimeout(this.idle);
    if (this.isOver) return;
    this.idle = setTimeout(() => {
      if (this.isOver || this.client.running > 0) return;
      const error = new TransactionOverError(
        `nothing was asked in it for ${this.idleTimeout} ms, and a PGlite has one session, for which all others wait. ` +
          `While a handler has a transaction there, it must not wait for another key`,
      );
      this.client.end(error.message.replace(/^The transaction is over: |\.$/g, ''));
      this.end(error);
    }, this.idleTimeout);
    this.idle.unref();
  }
}

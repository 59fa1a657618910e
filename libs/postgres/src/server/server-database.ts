import type { AskText, Database, OpenTransaction } from '../database/database.interface.js';
import { meaningOf } from '../errors/sql-states.js';
import type { Settings } from '../options/settings.js';
import type { Param } from '../statements/params.js';
import type { Statement } from '../statements/statement.js';
import type { Row } from '../values/row.js';
import { Claims } from './claim.js';
import { askClient, askText } from './client.js';
import { checkPool } from './pool-check.js';
import { ServerTransaction } from './server-transaction.js';
import { openPools, type ServerPools } from './server-pools.js';
import { Slots } from './slots.js';

/** A PostgreSQL server. */
export class ServerDatabase implements Database {
  readonly singleSession = false;
  private readonly pools: ServerPools;
  private readonly claims: Claims;
  private readonly transactions = new Set<ServerTransaction>();
  /** A pool gives up who waits longer than it takes to connect, and whoever waits for other handlers has lost no connection. */
  private readonly slots: Slots;

  constructor(private readonly settings: Settings) {
    this.pools = openPools(settings);
    this.slots = new Slots(this.pools.most);
    this.claims = new Claims(this.pools.committer, settings.requestTimeout);
  }

  /** @throws {StoreAccessError} for a pool that is too old */
  async open(): Promise<void> {
    if (this.settings.place.kind === 'pool') await checkPool(this.pools.handlers);
  }

  async ask(statement: Statement, params: readonly Param[]): Promise<readonly Row[]> {
    await this.claims.renew();
    return this.pools.committer.use((client) => askClient(client, statement, params, this.settings), wasAnswered);
  }

  /** Takes as long as it takes: an upgrade may rewrite a table, and others wait for it. */
  inTransaction<T>(work: (ask: AskText) => Promise<T>): Promise<T> {
    return this.pools.committer.use(
      async (client) => {
        await askText(client, 'BEGIN');
        const result = await work(async (sql) => (await askText(client, sql)).at(-1)!.rows);
        await askText(client, 'COMMIT');
        return result;
      },
      () => false,
    );
  }

  async begin(): Promise<OpenTransaction> {
    const giveBack = await this.slots.take();
    try {
      return await this.beginNow(giveBack);
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  private async beginNow(giveBack: () => void): Promise<OpenTransaction> {
    const { settings, pools } = this;
    const transaction = await ServerTransaction.begin({
      onEnd: () => this.transactions.delete(transaction),
      onFree: giveBack,
      source: pools.handlers,
      committer: pools.committer,
      idleTimeout: settings.transactionIdleTimeout,
      requestTimeout: settings.requestTimeout,
      prepare: settings.prepare,
      own: settings.place.kind === 'server' && settings.prepare,
    });
    this.transactions.add(transaction);
    return transaction;
  }

  claim(name: string): Promise<void> {
    return this.claims.take(name);
  }

  async close(): Promise<void> {
    await Promise.all([...this.transactions].map((transaction) => transaction.abandon()));
    await this.pools.close();
  }
}

/** Whether the server answered, so that the connection can be used again. */
function wasAnswered(error: unknown): boolean {
  return meaningOf(error) !== 'lost';
}

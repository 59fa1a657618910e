import { StoreInUseError, StoreUnavailableError } from '@mississippi/core';
import type { AskText, Database, OpenTransaction } from '../database/database.interface.js';
import type { Settings } from '../options/settings.js';
import type { Param } from '../statements/params.js';
import { inline, type Statement } from '../statements/statement.js';
import { pgliteParsers, type Row } from '../values/row.js';
import { withoutContent, type Pglite, type PgliteAnswer } from './pglite.js';
import type { OpenPglite } from './pglite-source.js';
import { EmbeddedTransaction } from './pglite-transaction.js';

/** What is claimed of each PGlite of this process. */
const claims = new WeakMap<Pglite, Set<string>>();

/** A PGlite: one session in this process. It does one thing after the other by itself. */
export class EmbeddedDatabase implements Database {
  readonly singleSession = true;
  private readonly transactions = new Set<EmbeddedTransaction>();
  private readonly claimed = new Set<string>();
  private opened: OpenPglite | undefined;
  private closed = false;

  constructor(
    private readonly openPglite: () => Promise<OpenPglite>,
    private readonly settings: Settings,
  ) {}

  async ask(statement: Statement, params: readonly Param[]): Promise<readonly Row[]> {
    this.check();
    const answer = this.pglite.exec(inline(statement, params), { rowMode: 'array', parsers: pgliteParsers });
    return rowsOf(await withoutContent(answer));
  }

  inTransaction<T>(work: (ask: AskText) => Promise<T>): Promise<T> {
    this.check();
    return this.pglite.transaction((transaction) =>
      work(async (sql) => rowsOf(await transaction.exec(sql, { rowMode: 'array', parsers: pgliteParsers }))),
    );
  }

  async begin(): Promise<OpenTransaction> {
    this.check();
    const transaction = await EmbeddedTransaction.begin(this.pglite, this.settings.transactionIdleTimeout);
    this.transactions.add(transaction);
    transaction.done.catch(() => undefined).finally(() => this.transactions.delete(transaction));
    return transaction;
  }

  async open(): Promise<void> {
    this.opened = await this.openPglite();
  }

  async claim(name: string): Promise<void> {
    const all = claims.get(this.pglite) ?? new Set();
    claims.set(this.pglite, all);
    if (all.has(name)) throw new StoreInUseError(`${name} is open already, and is for one alone: close the other.`);
    all.add(name);
    this.claimed.add(name);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.transactions].map((transaction) => transaction.abandon()));
    const { opened } = this;
    if (opened === undefined) return;
    this.opened = undefined;
    for (const name of this.claimed) claims.get(opened.pglite)?.delete(name);
    await opened.giveBack();
  }

  private get pglite(): Pglite {
    if (this.opened === undefined) throw new StoreUnavailableError('The store is not open.');
    return this.opened.pglite;
  }

  private check(): void {
    if (this.closed) throw new StoreUnavailableError('The store is closed.');
  }
}

function rowsOf(answers: readonly PgliteAnswer[]): readonly Row[] {
  return answers.at(-1)!.rows as readonly Row[];
}

import type { Param } from '../statements/params.js';
import type { Filled, Statement } from '../statements/statement.js';
import type { Row } from '../values/row.js';
import type { SqlClient } from './sql-client.interface.js';

/** A PostgreSQL, wherever it runs. It rejects with what its client rejects with. */
export interface Database {
  /** Whether all is asked in one session, one after the other. */
  readonly singleSession: boolean;
  /** One statement, in a transaction of its own, in one round trip. */
  ask(statement: Statement, params: readonly Param[]): Promise<readonly Row[]>;
  /** Statements one after the other in one transaction, each with its rows. */
  inTransaction<T>(work: (ask: AskText) => Promise<T>): Promise<T>;
  begin(): Promise<OpenTransaction>;
  /**
   * Keeps others out for as long as the connection or the process lives.
   * @param name what is claimed
   * @throws {StoreInUseError}
   */
  claim(name: string): Promise<void>;
  close(): Promise<void>;
}

/** A statement without parameters, or several. */
export type AskText = (sql: string) => Promise<readonly Row[]>;

/** A transaction that a handler writes in. */
export interface OpenTransaction {
  /** `failure` is what the first query that failed was answered with. */
  readonly client: SqlClient & { readonly failure: unknown };
  /** Resolves when the session is free for others, where there is but one. */
  readonly done?: Promise<void>;
  /**
   * Sends the last statement, which has the fence, and COMMIT behind it. It is over then, whatever happens.
   * Rejects as {@link Database.ask}, and a fence that raises as its error.
   */
  commit(last: Filled): Promise<void>;
  abandon(): Promise<void>;
}

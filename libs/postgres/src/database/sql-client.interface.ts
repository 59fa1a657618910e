/**
 * What a query of a handler's transaction gives.
 * @publicApi
 */
export interface SqlResult<T = Record<string, unknown>> {
  readonly rows: readonly T[];
  /** Rows that were read or changed. */
  readonly rowCount: number;
}

/**
 * A handler's transaction, `context.transaction()`: what is written there commits with the message, or not at all. It is over
 * when the callback ends.
 * @publicApi
 */
export interface SqlClient {
  /**
   * Runs one statement. Queries run one after the other, in the order of the calls.
   * @param params values for `$1`, `$2` and so on, as `pg` or PGlite takes them
   * @throws {TransactionControlError} for what would begin or end a transaction; savepoints may be used
   * @throws {TransactionOverError} after the callback has ended, or where the database ended the transaction
   */
  query<T = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<SqlResult<T>>;
}

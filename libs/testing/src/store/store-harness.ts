import type { StoreConnection, StoreContext } from '@mississippi/core/store';

/**
 * What a store, or a harness for it, may be unable to do. What is lacking must be listed in {@link StoreHarness.unsupported}, so
 * that a gap in the proof is seen.
 *
 * - `transactions`: `begin`, for handlers' own writes; takes `write`, `fail` and `written` of the harness
 * - `besideTransactions`: the store answers while a transaction is open, which one with a single session does not
 * - `crash`, `cut`: the methods of these names
 * @publicApi
 */
export type StoreCapability = 'transactions' | 'besideTransactions' | 'crash' | 'cut';

/**
 * What the conformance suite of stores needs to have done. One harness serves all cases, one after the other, never two at
 * once.
 * @publicApi
 */
export interface StoreHarness {
  /** The longest time in milliseconds that a call may take: several times what it takes on a slow machine. */
  readonly within: number;

  /** The optional capabilities that are not there; `[]` when all are. */
  readonly unsupported: readonly StoreCapability[];

  /** Gives the next case an empty database, or an empty part of one, in which nothing of an earlier case is seen. */
  reset(): Promise<void>;

  /** Connects to it by a store of its own, as another process would. */
  connect(context: StoreContext): Promise<StoreConnection>;

  /** Writes by the client of a transaction: what it rejects with does not matter. A later write to a name replaces the former. */
  write?(client: unknown, name: string, value: string): Promise<void>;

  /** Does by the client of a transaction what the database refuses, and resolves when that has happened. */
  fail?(client: unknown): Promise<void>;

  /** What others see under a name that {@link write} wrote to; `undefined` for nothing. */
  written?(name: string): Promise<string | undefined>;

  /** Ends a connection abruptly and for good, as a killed process would. Resolves when the store has noticed. */
  crash?(connection: StoreConnection): Promise<void>;

  /**
   * Breaks what every connection has to its server, in the middle of what is under way: calls are rejected with
   * `StoreUnavailableError`, whether they had their effect or not. Later calls may be rejected in the same way for a while.
   */
  cut?(): Promise<void>;
}

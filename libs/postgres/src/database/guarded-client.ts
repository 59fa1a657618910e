import { TransactionControlError, TransactionOverError } from '../errors/transaction.errors.js';
import { controlsTransaction } from './first-words.js';
import { Queue } from './queue.js';
import type { SqlClient, SqlResult } from './sql-client.interface.js';

/** Runs one statement, never several: the extended protocol takes one. */
export type RunQuery = (sql: string, params: readonly unknown[]) => Promise<SqlResult<unknown>>;

/** What a handler holds of its transaction: it can neither end it, nor use it afterwards. */
export class GuardedClient implements SqlClient {
  private readonly queue = new Queue();
  private over: TransactionOverError | undefined;
  /** The first query that failed, with what. */
  failure: unknown;
  private abandoned = false;
  #running = 0;

  constructor(private readonly runQuery: RunQuery) {}

  /** Queries that were asked for and have not been answered. */
  get running(): number {
    return this.#running;
  }

  async query<T>(sql: string, params: readonly unknown[] = []): Promise<SqlResult<T>> {
    this.check();
    if (controlsTransaction(sql)) throw new TransactionControlError();
    this.#running++;
    try {
      return await this.queue.run(async () => {
        // What was asked for in time is done, though the handler did not wait for it: it belongs to what is committed.
        if (this.abandoned) this.check();
        return (await this.runQuery(sql, params)) as SqlResult<T>;
      });
    } catch (error) {
      this.failure ??= error;
      throw error;
    } finally {
      this.#running--;
    }
  }

  /** Whatever is asked from now on is refused. */
  end(why: string, cause?: unknown): void {
    this.over ??= new TransactionOverError(why, cause);
  }

  /** What waits for its turn is refused too. */
  abandon(why: string): void {
    this.end(why);
    this.abandoned = true;
  }

  /** Resolves when what was asked before has been answered. */
  async settled(): Promise<void> {
    await this.queue.run(async () => undefined);
  }

  private check(): void {
    if (this.over !== undefined) throw this.over;
  }
}

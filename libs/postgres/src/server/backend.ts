import type { OwnPool } from './server-pools.js';
import { askText, type Client } from './client.js';
import { sqlStateOf } from '../errors/sql-states.js';

/** How often it is looked whether an abandoned transaction has ended, and how long. Milliseconds. */
const LOOK_EVERY = 50;
const LOOK_FOR = 5_000;

/** A transaction as the server knows it. The client's own number of the process would be another behind PgBouncer. */
export interface BackendTransaction {
  readonly pid: number;
  /** Unix time in seconds with all digits. */
  readonly startedAt: string;
}

/**
 * Ends a transaction whose connection was destroyed. The server learns of that only when it next waits for a statement; until then,
 * whatever runs goes on, and holds its locks. Resolves when it has ended, or when nobody can tell: the
 * server's own time-outs end it then.
 */
export async function endBackend(pool: OwnPool, transaction: BackendTransaction): Promise<void> {
  const end = Date.now() + LOOK_FOR;
  for (;;) {
    try {
      const gone = await pool.use(
        (client) => terminate(client, transaction),
        (error) => sqlStateOf(error) !== undefined,
      );
      if (gone) return;
    } catch {
      return;
    }
    if (Date.now() > end) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

/** Whether it has ended already. */
async function terminate(client: Client, { pid, startedAt }: BackendTransaction): Promise<boolean> {
  const [answer] = await askText(
    client,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ${pid} AND extract(epoch FROM xact_start)::text = '${startedAt}'`,
    LOOK_FOR,
  );
  return answer!.rows.length === 0;
}

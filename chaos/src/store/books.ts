import type { Books } from './audit.js';
import { keysByBytes, rowName } from './audit.js';
import type { Ledger } from './ledger.js';
import { ENQUEUED, OWN_ROWS, OWN_TOTALS } from './own-tables.js';

/** Whoever can ask the database. */
export interface Asked {
  rows<T extends object>(sql: string, params?: readonly unknown[]): Promise<T[]>;
}

/** Reads all that the run has left in the database. */
export async function readBooks(database: Asked, schema: string, keys: number): Promise<Books> {
  const names = keysByBytes(keys);
  const states = await database.rows<{ key: string; bytes: string }>(
    `SELECT encode(key, 'hex') AS key, convert_from(bytes, 'UTF8') AS bytes FROM ${schema}.states`,
  );
  const written = await database.rows<{ key: string; source: string; seq: number; count: number }>(
    `SELECT key, source, seq, count(*)::int AS count FROM ${OWN_ROWS} GROUP BY key, source, seq`,
  );
  const totals = await database.rows<{ key: string; total: string }>(`SELECT key, total::text FROM ${OWN_TOTALS}`);
  const left = await rowsLeft(database, schema);
  return {
    ledgers: new Map(states.map(({ key, bytes }) => [names.get(key) ?? key, JSON.parse(bytes) as Ledger])),
    written: new Map(written.map(({ key, source, seq, count }) => [rowName(key, source, seq), count])),
    totals: new Map(totals.map(({ key, total }) => [key, Number(total)])),
    ...left,
  };
}

export async function rowsLeft(database: Asked, schema: string): Promise<Pick<Books, 'outbox' | 'enqueued'>> {
  const [left] = await database.rows<{ outbox: number; enqueued: number }>(
    `SELECT (SELECT count(*)::int FROM ${schema}.outbox) AS outbox, (SELECT count(*)::int FROM ${schema}.enqueued) AS enqueued`,
  );
  return left!;
}

/** How many messages publishers enqueued for each key. */
export async function enqueuedCounts(database: Asked): Promise<Map<string, number>> {
  const rows = await database.rows<{ key: string; count: number }>(
    `SELECT key, count(*)::int AS count FROM ${ENQUEUED} GROUP BY key`,
  );
  return new Map(rows.map(({ key, count }) => [key, count]));
}

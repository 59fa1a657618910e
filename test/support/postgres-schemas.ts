import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { sharedPostgres } from './postgres.js';

/** A schema of its own for one test: nobody else uses the name. */
export function newSchema(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}

/** The shared server under another address: through a proxy, as another user, with parameters. */
export function urlOf(change: (url: URL) => void, base = sharedPostgres()): string {
  const url = new URL(base);
  change(url);
  return url.href;
}

/** Somebody who may do everything, and is no part of the store. */
export class Administrator {
  private readonly pool: pg.Pool;

  constructor(url = sharedPostgres()) {
    this.pool = new pg.Pool({ connectionString: url, max: 3 });
    this.pool.on('error', () => undefined); // The server may be killed.
  }

  async rows(sql: string, params: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
    return (await this.pool.query<Record<string, unknown>>(sql, [...params])).rows;
  }

  /** One value. */
  async value(sql: string, params: readonly unknown[] = []): Promise<unknown> {
    return Object.values((await this.rows(sql, params))[0] ?? {})[0];
  }

  /** Several statements at once, without parameters. */
  async run(sql: string): Promise<void> {
    await this.pool.query(sql);
  }

  /** A session of its own, for locks that are held for a while. */
  session(): Promise<pg.PoolClient> {
    return this.pool.connect();
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { encodeShardingKey } from '@mississippi/core';
import pg from 'pg';
import type { PostgresServer } from '#support/postgres-server.js';
import { BAD_KEYS, badRowTrigger, OWN_DDL } from './own-tables.js';

/** How often a question is put again while the server is away. Milliseconds. */
const BETWEEN_TRIES = 200;

export const SCHEMA = 'mississippi';

/** The database of a run, as somebody sees it who is no part of the app; past all proxies. */
export class Database {
  private readonly pool: pg.Pool;
  private closed = false;

  private constructor(
    readonly server: PostgresServer,
    readonly url: string,
  ) {
    this.pool = new pg.Pool({ connectionString: url, max: 3 });
    this.pool.on('error', () => undefined); // The server may be killed.
  }

  /** A database of its own on the server, with the tables that are not the store's. */
  static async create(server: PostgresServer, name: string): Promise<Database> {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const database = new Database(server, url.href);
    await database.rows(OWN_DDL);
    return database;
  }

  /** Once the store has its tables: keys can be made bad from now on. */
  async watchStates(): Promise<void> {
    await this.rows(badRowTrigger(SCHEMA));
  }

  /** Waits for the server if it is away. */
  async rows<T extends object>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    for (;;) {
      try {
        return (await this.pool.query<T>(sql, [...params])).rows;
      } catch (error) {
        if (this.closed || !isAway(error)) throw error;
        await sleep(BETWEEN_TRIES);
      }
    }
  }

  /** The database refuses every state of the key. */
  async spoil(key: string): Promise<void> {
    await this.rows(`INSERT INTO ${BAD_KEYS} VALUES ($1) ON CONFLICT DO NOTHING`, [encodeShardingKey(key)]);
  }

  async heal(key: string): Promise<void> {
    await this.rows(`DELETE FROM ${BAD_KEYS} WHERE key = $1`, [encodeShardingKey(key)]);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.pool.end();
  }
}

/** Whether the server could not be asked; what it says of a statement has another code. */
function isAway(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code !== 'string' || /^(08|57P|E)/.test(code);
}

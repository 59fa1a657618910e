import { PGlite } from '@electric-sql/pglite';
import type { StoreConnection, StoreContext } from '@mississippi/core/store';
import type { StoreCapability, StoreHarness } from '@mississippi/testing/store';
import { postgres, type SqlClient } from '../../src/index.js';

/** The store on one PGlite in memory, prepared for the conformance suite: a schema for each case. */
export class PgliteHarness implements StoreHarness {
  readonly within = 30_000;
  /** It has one session, in this process: that can neither break nor outlive it. */
  readonly unsupported: readonly StoreCapability[] = ['besideTransactions', 'crash', 'cut'];
  private readonly pglite = new PGlite();
  private connections: StoreConnection[] = [];
  private schema = '';
  private made = 0;

  async reset(): Promise<void> {
    await this.clear();
    this.schema = `case_${++this.made}`;
    await this.pglite.exec(
      `CREATE SCHEMA ${this.schema}; CREATE TABLE ${this.schema}.written (name text PRIMARY KEY, value text NOT NULL)`,
    );
  }

  async connect(context: StoreContext): Promise<StoreConnection> {
    const connection = await postgres({ pglite: this.pglite, schema: this.schema }).connect(context);
    this.connections.push(connection);
    return connection;
  }

  async write(client: unknown, name: string, value: string): Promise<void> {
    await (client as SqlClient).query(
      `INSERT INTO ${this.schema}.written VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [name, value],
    );
  }

  async fail(client: unknown): Promise<void> {
    await (client as SqlClient).query('SELECT 1 / 0').catch(() => undefined);
  }

  async written(name: string): Promise<string | undefined> {
    const sql = `SELECT value FROM ${this.schema}.written WHERE name = $1`;
    return (await this.pglite.query<{ value: string }>(sql, [name])).rows[0]?.value;
  }

  async close(): Promise<void> {
    await this.clear();
    await this.pglite.close();
  }

  private async clear(): Promise<void> {
    for (const connection of this.connections) await connection.close();
    this.connections = [];
    if (this.schema !== '') await this.pglite.exec(`DROP SCHEMA ${this.schema} CASCADE`);
    this.schema = '';
  }
}

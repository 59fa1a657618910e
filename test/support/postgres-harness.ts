import { postgres, type SqlClient } from '@mississippi/postgres';
import type { StoreConnection, StoreContext } from '@mississippi/core/store';
import type { StoreCapability, StoreHarness } from '@mississippi/testing/store';
import { Administrator, newSchema, urlOf } from './postgres-schemas.js';
import { sharedPostgres } from './postgres.js';
import { TcpProxy } from './tcp-proxy.js';

/** One process, as the server sees it. */
interface Process {
  readonly proxy: TcpProxy;
  /** What its sessions call themselves. */
  readonly name: string;
}

/** The store on a real server, prepared for the conformance suite: a schema for each case, a proxy for each connection. */
export class PostgresHarness implements StoreHarness {
  readonly within = 30_000;
  readonly unsupported: readonly StoreCapability[] = [];
  private readonly administrator = new Administrator();
  private readonly processes = new Map<StoreConnection, Process>();
  private schema = '';
  private made = 0;

  async reset(): Promise<void> {
    await this.clear();
    this.schema = newSchema();
    await this.administrator.run(
      `CREATE SCHEMA ${this.schema}; CREATE TABLE ${this.schema}.written (name text PRIMARY KEY, value text NOT NULL)`,
    );
  }

  async connect(context: StoreContext): Promise<StoreConnection> {
    const proxy = await TcpProxy.start(sharedPostgres());
    const name = `${this.schema}_${++this.made}`;
    const connectionString = urlOf((url) => {
      url.host = `127.0.0.1:${proxy.port}`;
      url.searchParams.set('application_name', name);
    });
    try {
      const connection = await postgres({ connectionString, schema: this.schema }).connect(context);
      this.processes.set(connection, { proxy, name });
      return connection;
    } catch (error) {
      await proxy.close();
      throw error;
    }
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
    return (await this.administrator.value(sql, [name])) as string | undefined;
  }

  async crash(connection: StoreConnection): Promise<void> {
    const { proxy, name } = this.processes.get(connection)!;
    await proxy.close();
    const sql = `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1`;
    while ((await this.administrator.value(sql, [name])) !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async cut(): Promise<void> {
    for (const { proxy } of this.processes.values()) proxy.cut();
  }

  async close(): Promise<void> {
    await this.clear();
    await this.administrator.close();
  }

  private async clear(): Promise<void> {
    for (const [connection, { proxy }] of this.processes) {
      await connection.close();
      await proxy.close();
    }
    this.processes.clear();
    if (this.schema !== '') await this.administrator.run(`DROP SCHEMA ${this.schema} CASCADE`);
    this.schema = '';
  }
}

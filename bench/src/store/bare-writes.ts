import type { Pool, PoolClient } from 'pg';
import { keyName } from '../process/keys.js';
import { now } from '../rabbitmq/reading.js';

/** What a message leaves behind. */
export interface Write {
  readonly id: string;
  readonly key: string;
  readonly sequence: number;
  /** The key's new state. */
  readonly state: Buffer;
}

/** The tables of whoever does it by hand, with a row for each key, so that a write is an update from the first on. */
export function bareTables(schema: string, keys: number): string {
  return `CREATE SCHEMA ${schema};
CREATE TABLE ${schema}.states (key text PRIMARY KEY, state bytea NOT NULL) WITH (fillfactor = 80);
CREATE TABLE ${schema}.inbox (message_id uuid PRIMARY KEY);
${readingsTable(schema)}
INSERT INTO ${schema}.states (key, state)
SELECT '${keyName(0).slice(0, -7)}' || lpad(number::text, 7, '0'), repeat('x', 150)::bytea FROM generate_series(0, ${keys - 1}) AS number;`;
}

/** The table that handlers write to themselves. */
function readingsTable(schema: string): string {
  return `CREATE TABLE ${schema}.readings (id bigserial PRIMARY KEY, key text NOT NULL, sequence integer NOT NULL);`;
}

/** What a handler writes itself. */
export function insertReading(schema: string): string {
  return `INSERT INTO ${schema}.readings (key, sequence) VALUES ($1, $2)`;
}

/** The same writes as the library's: an entry in the inbox, unless there is one, and with it the state. */
export class BareWrites {
  /** How long each COMMIT took, from the question to its answer. Milliseconds. */
  readonly commits: number[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly schema: string,
  ) {}

  /** A transaction as one writes it: four questions. */
  async inTransaction(write: Write): Promise<void> {
    await this.transaction(write, async () => undefined);
  }

  /** The same with what a handler writes itself: five questions. */
  async withReading(write: Write): Promise<void> {
    await this.transaction(write, async (client) => {
      await client.query(insertReading(this.schema), [write.key, write.sequence]);
    });
  }

  private async transaction(write: Write, own: (client: PoolClient) => Promise<void>): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      if (await this.isNew(client, write)) {
        await own(client);
        await this.keep(client, write);
      }
      const asked = now();
      await client.query('COMMIT');
      this.commits.push((now() - asked) / 1_000);
    } finally {
      client.release();
    }
  }

  /** The least that there is: both writes are one statement, which is a transaction by itself. */
  async inOneStatement({ id, key, state }: Write): Promise<void> {
    const { schema } = this;
    await this.pool.query({
      name: 'both',
      text: `WITH fresh AS (INSERT INTO ${schema}.inbox (message_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1)
INSERT INTO ${schema}.states (key, state) SELECT $2, $3 FROM fresh
ON CONFLICT (key) DO UPDATE SET state = excluded.state`,
      values: [id, key, state],
    });
  }

  private async isNew(client: PoolClient, { id }: Write): Promise<boolean> {
    const { rowCount } = await client.query({
      name: 'remember',
      text: `INSERT INTO ${this.schema}.inbox (message_id) VALUES ($1) ON CONFLICT DO NOTHING`,
      values: [id],
    });
    return rowCount === 1;
  }

  private async keep(client: PoolClient, { key, state }: Write): Promise<void> {
    await client.query({
      name: 'keep',
      text: `INSERT INTO ${this.schema}.states (key, state) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET state = excluded.state`,
      values: [key, state],
    });
  }
}

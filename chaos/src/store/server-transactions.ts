import pg from 'pg';
import type { Client, Transactions } from './enqueuer.js';

/** A statement that takes longer has lost its connection. Milliseconds. */
const ANSWER = 8_000;

/** Transactions on a server. A connection of which an answer was lost is given up. */
export class ServerTransactions implements Transactions {
  private client: pg.Client | undefined;

  constructor(private readonly url: string) {}

  async run<T>(work: (client: Client) => Promise<T>, how: 'commit' | 'rollback'): Promise<T> {
    try {
      const client = (this.client ??= await this.connect());
      await client.query('BEGIN');
      const result = await work(client);
      await client.query(how === 'commit' ? 'COMMIT' : 'ROLLBACK');
      return result;
    } catch (error) {
      const { client } = this;
      this.client = undefined;
      client?.end().catch(() => undefined);
      throw error;
    }
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: ANSWER,
      query_timeout: ANSWER,
      idle_in_transaction_session_timeout: 5_000,
    });
    client.on('error', () => undefined); // The next statement tells.
    await client.connect();
    return client;
  }
}

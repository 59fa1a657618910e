import { CommitRefusedError } from '@mississippi/core';
import type { StoreConnection } from '@mississippi/core/store';
import { postgres } from '@mississippi/postgres';
import { Pool, type PoolClient } from 'pg';
import { Administrator, newSchema } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { commitOf, contextOf, messageOf } from '../support/store-user.js';

const administrator = new Administrator();
let schema: string;
let connection: StoreConnection;
let sessions: PoolClient[];

beforeEach(async () => {
  schema = newSchema();
  connection = await postgres({ connectionString: sharedPostgres(), schema }).connect(contextOf());
  sessions = [await administrator.session(), await administrator.session()];
  for (const session of sessions) await session.query('BEGIN');
});

afterEach(async () => {
  for (const session of sessions) session.release(true);
  await connection.close();
  await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
});

afterAll(() => administrator.close());

async function enqueue(session: PoolClient, ...messageIds: string[]): Promise<void> {
  await connection.enqueue!(session, 0, messageIds.map(messageOf));
}

async function enqueued(shards = [0, 1]): Promise<string[]> {
  return (await connection.enqueued!(shards, 10)).map(({ message }) => message.messageId);
}
/** The same once there are so many: any open transaction of the server holds messages back, also those of other tests. */
async function arrived(count: number): Promise<string[]> {
  for (;;) {
    const found = await enqueued();
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('what is enqueued is there when the transaction has committed, and never was where it was undone', async () => {
  const [one, other] = sessions as [PoolClient, PoolClient];
  await enqueue(one, 'a', 'b');
  expect(await enqueued()).toEqual([]);
  await enqueue(other, 'undone');
  await other.query('ROLLBACK');
  await one.query('COMMIT');
  expect(await arrived(2)).toEqual(['a', 'b']);
  expect(await enqueued([1])).toEqual([]);
  const [first] = await connection.enqueued!([0], 1);
  expect(first).toMatchObject({ shard: 0, message: messageOf('a') });
});

test('a message waits for a transaction that began before, and may put another in front of it', async () => {
  const [one, other] = sessions as [PoolClient, PoolClient];
  await enqueue(one, 'first');
  await enqueue(other, 'second');
  await other.query('COMMIT');
  expect(await enqueued()).toEqual([]);
  await one.query('COMMIT');
  expect(await arrived(2)).toEqual(['first', 'second']);
});

test('a commit takes messages, and a stale one takes none', async () => {
  const [one] = sessions as [PoolClient];
  await enqueue(one, 'a', 'b');
  await one.query('COMMIT');
  await arrived(2);
  const former = await connection.openShard(0);
  const opening = await connection.openShard(0);
  const rows = await connection.enqueued!([0], 10);
  const parts = { outbox: rows.map(({ message }) => message), taken: rows.map(({ id }) => id) };
  expect(await connection.commit([commitOf(former, 1, parts)])).toEqual(['stale']);
  expect(await arrived(2)).toEqual(['a', 'b']);
  expect(await connection.commit([commitOf(opening, 1, parts)])).toEqual(['committed']);
  expect(await enqueued()).toEqual([]);
  expect((await connection.outbox(0, undefined, 10)).map(({ message }) => message)).toEqual(parts.outbox);
});

test('what is no client is refused', async () => {
  await expect(connection.enqueue!({ run: () => undefined }, 0, [messageOf('a')])).rejects.toThrow(CommitRefusedError);
});

test('a client without a transaction, and a pool, are refused', async () => {
  const [one] = sessions as [PoolClient];
  await one.query('ROLLBACK');
  const pool = new Pool({ connectionString: sharedPostgres() });
  for (const no of [one, pool]) {
    await expect(connection.enqueue!(no, 0, [messageOf('a')])).rejects.toThrow(/BEGIN was said/);
  }
  await one.query('BEGIN');
  await enqueue(one, 'b');
  await one.query('COMMIT');
  expect(await arrived(1)).toEqual(['b']);
  await pool.end();
});

import { inspect } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { CommitRefusedError } from '@mississippi/core';
import type { StoreConnection, ShardOpening } from '@mississippi/core/store';
import { commitOf, contextOf, entryOf, KEY, stateOf } from '#support/store-user.js';
import { postgres, TransactionControlError, TransactionOverError, type SqlClient } from '../src/index.js';

describe('the store on a PGlite', () => {
  const pglite = new PGlite();
  let connection: StoreConnection;
  let opening: ShardOpening;

  beforeAll(async () => {
    await pglite.exec('CREATE TABLE mine (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)');
    connection = await postgres({ pglite, transactionIdleTimeout: 100 }).connect(contextOf());
  });

  beforeEach(async () => {
    opening = await connection.openShard(0);
    await pglite.exec('DELETE FROM mine');
  });

  afterAll(async () => {
    await connection.close();
    await pglite.close();
  });

  async function begin() {
    const transaction = await connection.begin!();
    return { transaction, client: transaction.client as SqlClient };
  }

  async function mine(): Promise<unknown> {
    return (await pglite.query<{ id: number }>('SELECT id FROM mine ORDER BY id')).rows.map(({ id }) => id);
  }

  test('a second transaction, and everything else, waits for the first', async () => {
    const { transaction, client } = await begin();
    const order: string[] = [];
    const second = begin().then((begun) => {
      order.push('second');
      return begun;
    });
    const loaded = connection.load([KEY]).then(() => order.push('loaded'));
    await client.query('INSERT INTO mine VALUES ($1)', [1]);
    expect(order).toEqual([]);
    expect(await transaction.commit(commitOf(opening, 1, { states: [stateOf('s')] }))).toBe('committed');
    await (await second).transaction.abandon();
    await loaded;
    expect(order.toSorted()).toEqual(['loaded', 'second']);
    expect(await mine()).toEqual([1]);
  });

  test('a transaction in which nothing is asked is ended, so that those who wait go on', async () => {
    const { transaction, client } = await begin();
    await client.query('INSERT INTO mine VALUES (1)');
    // As a handler does that waits for another key within its transaction.
    await connection.load([KEY]);
    await expect(client.query('SELECT 1')).rejects.toThrow(TransactionOverError);
    const error: unknown = await transaction.commit(commitOf(opening, 1)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CommitRefusedError);
    expect((error as Error).message).toMatch(/must not wait for another key/);
    expect(await mine()).toEqual([]);
    expect(await connection.commit([commitOf(opening, 1)])).toEqual(['committed']);
  });

  test('a transaction is neither ended by its handler, nor by several statements at once', async () => {
    const { transaction, client } = await begin();
    await expect(client.query('  commit')).rejects.toThrow(TransactionControlError);
    await expect(client.query('SELECT 1; COMMIT')).rejects.toMatchObject({ code: '42601' });
    await expect(transaction.commit(commitOf(opening, 1))).rejects.toThrow(CommitRefusedError);
  });

  test('a deferred constraint that fails at COMMIT refuses the commit', async () => {
    const { transaction, client } = await begin();
    await client.query('INSERT INTO mine VALUES (1), (1)');
    const commit = commitOf(opening, 1, { handled: [entryOf('deferred')] });
    const error: unknown = await transaction.commit(commit).catch((error: unknown) => error);
    expect((error as Error).message).toMatch(/mine_pkey/);
    expect(await connection.lookUp([entryOf('deferred')])).toEqual([undefined]);
  });

  test('what a handler sets for later transactions does not keep the store from its work', async () => {
    const { transaction, client } = await begin();
    await client.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY');
    await client.query("SET statement_timeout = '1ms'");
    expect(await transaction.commit(commitOf(opening, 1))).toBe('committed');
    const { rows } = await pglite.query<{ timeout: string }>("SELECT current_setting('statement_timeout') AS timeout");
    expect(rows).toEqual([{ timeout: '0' }]);
    expect(await connection.commit([commitOf(opening, 2, { states: [stateOf('s')] })])).toEqual(['committed']);
  });

  test('a failed query that was not awaited is named by what refuses the commit', async () => {
    const { transaction, client } = await begin();
    const failed = client.query('SELECT 1 / 0').catch(() => undefined);
    await expect(transaction.commit(commitOf(opening, 1))).rejects.toThrow(/had failed \(division by zero/);
    await failed;
  });

  test('what a commit holds is not in the error that refuses it', async () => {
    const states = [stateOf('not for the log'), stateOf('twice')];
    const commits = [commitOf(opening, 1, { states })];
    const error: unknown = await connection.commit(commits).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CommitRefusedError);
    expect(inspect(error, { depth: 9 })).not.toContain(Buffer.from('not for the log').toString('hex'));
  });

  test('rows that are read and changed are counted', async () => {
    const { transaction, client } = await begin();
    expect(await client.query('INSERT INTO mine VALUES (1), (2)')).toMatchObject({ rowCount: 2 });
    expect(await client.query('SELECT id FROM mine')).toMatchObject({ rows: [{ id: 1 }, { id: 2 }], rowCount: 2 });
    await transaction.abandon();
  });

  test("what the app asks of its PGlite waits too, and is no part of a handler's transaction", async () => {
    const { transaction, client } = await begin();
    const own = pglite.query('INSERT INTO mine VALUES (7)');
    await client.query('INSERT INTO mine VALUES (1)');
    await transaction.abandon();
    await own;
    expect(await mine()).toEqual([7]);
  });
});

import { CommitRefusedError, StoreUnavailableError } from '@mississippi/core';
import type { StoreConnection, StoreTransaction, ShardOpening } from '@mississippi/core/store';
import { postgres, TransactionControlError, TransactionOverError, type SqlClient } from '@mississippi/postgres';
import { jest } from '@jest/globals';
import pg from 'pg';
import { Administrator, newSchema, urlOf } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { afterVoid, commitOf, contextOf, lostOf, entryOf, KEY, stateOf } from '../support/store-user.js';

const administrator = new Administrator();
const IDLE = 300;
let schema: string;
let connection: StoreConnection;
let opening: ShardOpening;
let transaction: StoreTransaction;
let client: SqlClient;

beforeEach(async () => {
  schema = newSchema();
  await administrator.run(
    `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.mine (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)`,
  );
  connection = await postgres({
    connectionString: urlOf((url) => url.searchParams.set('application_name', schema)),
    schema,
    transactionIdleTimeout: IDLE,
    // The next transaction has the session of the one before, as soon as that is given back.
    connections: { transactions: 1 },
  }).connect(contextOf());
  opening = await connection.openShard(0);
  await begin();
});

afterEach(async () => {
  await connection.close();
  await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
});

afterAll(() => administrator.close());

async function begin(): Promise<void> {
  transaction = await connection.begin!();
  client = transaction.client as SqlClient;
}

function insert(id: number): Promise<unknown> {
  return client.query(`INSERT INTO ${schema}.mine VALUES ($1)`, [id]);
}

async function mine(): Promise<unknown> {
  return (await administrator.rows(`SELECT id FROM ${schema}.mine ORDER BY id`)).map(({ id }) => id);
}

/** Sessions of the store that are in a transaction. */
const OPEN = `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND xact_start IS NOT NULL`;

async function until(sql: string, expected: unknown): Promise<void> {
  while ((await administrator.value(sql, [schema])) !== expected)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('the client of a transaction', () => {
  test.each([
    'COMMIT',
    'commit;',
    '/* a /* nested */ comment */ -- and a line\n ;; End',
    'ROLLBACK',
    'rollback work',
    'ROLLBACK AND CHAIN',
    'ABORT',
    'BEGIN',
    'START TRANSACTION',
    "PREPARE TRANSACTION 'x'",
    "COMMIT PREPARED 'x'",
  ])('refuses %j, and goes on', async (sql) => {
    await insert(1);
    await expect(client.query(sql)).rejects.toThrow(TransactionControlError);
    await insert(2);
    expect(await transaction.commit(commitOf(opening, 1))).toBe('committed');
    expect(await mine()).toEqual([1, 2]);
  });

  test('takes one statement, so that nothing hides behind another', async () => {
    await expect(client.query('SELECT 1; COMMIT')).rejects.toMatchObject({ code: '42601' });
    await expect(transaction.commit(commitOf(opening, 1))).rejects.toThrow(CommitRefusedError);
  });

  test('cannot be ended from within a block', async () => {
    await insert(1);
    await expect(client.query('DO $$ BEGIN COMMIT; END $$')).rejects.toMatchObject({ code: '2D000' });
    await expect(transaction.commit(commitOf(opening, 1))).rejects.toThrow(CommitRefusedError);
    expect(await mine()).toEqual([]);
  });

  test('has savepoints', async () => {
    await client.query('SAVEPOINT a');
    await insert(1);
    await client.query('ROLLBACK TO SAVEPOINT a');
    await client.query('SAVEPOINT b');
    await expect(client.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await client.query('ROLLBACK  TO  b');
    await insert(2);
    expect(await transaction.commit(commitOf(opening, 1))).toBe('committed');
    expect(await mine()).toEqual([2]);
  });

  test('runs queries in the order of their calls, and gives rows and their number', async () => {
    const results = await Promise.all([insert(1), client.query(`SELECT id FROM ${schema}.mine`), insert(2)]);
    expect(results).toMatchObject([{ rowCount: 1 }, { rows: [{ id: 1 }], rowCount: 1 }, { rowCount: 1 }]);
  });

  test('is over after the commit, which has what was asked for before, awaited or not', async () => {
    const late = [insert(1), insert(2), insert(3)];
    expect(await transaction.commit(commitOf(opening, 1))).toBe('committed');
    expect(await Promise.all(late)).toMatchObject([{ rowCount: 1 }, { rowCount: 1 }, { rowCount: 1 }]);
    await expect(insert(4)).rejects.toThrow(TransactionOverError);
    expect(await mine()).toEqual([1, 2, 3]);
  });

  test('does not hold up the shard with a query that was not awaited and goes on', async () => {
    const hasty = await postgres({ connectionString: sharedPostgres(), schema, requestTimeout: 500 }).connect(
      contextOf(),
    );
    const begun = await hasty.begin!();
    const asleep = (begun.client as SqlClient).query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    await expect(begun.commit(commitOf(opening, 1))).rejects.toThrow(/await each query/);
    expect(await asleep).toBeInstanceOf(Error);
    expect(await hasty.commit([commitOf(opening, 1)])).toEqual(['committed']);
    await hasty.close();
  });

  test('leaves nothing of its session to the next', async () => {
    await client.query(`SET search_path = ${schema}`);
    await client.query(`SELECT set_config('app.tenant', 'one', false)`);
    await client.query('CREATE TEMP TABLE scratch (x integer)');
    await client.query('SELECT pg_advisory_lock(4711)');
    const pid = async (): Promise<unknown> => (await client.query('SELECT pg_backend_pid() AS pid')).rows;
    const first = await pid();
    await transaction.commit(commitOf(opening, 1));
    await begin();
    expect(await pid()).toEqual(first);
    const { rows } = await client.query(
      `SELECT current_setting('app.tenant', true) AS tenant, to_regclass('scratch') AS scratch, current_schema AS schema`,
    );
    expect(rows).toEqual([{ tenant: '', scratch: null, schema: 'public' }]);
    expect(await administrator.value('SELECT pg_try_advisory_xact_lock(4711)')).toBe(true);
  });

  test("may take another role, which the store's own tables do not know", async () => {
    await administrator.run(`CREATE ROLE ${schema}_tenant; GRANT ALL ON SCHEMA ${schema} TO ${schema}_tenant`);
    await administrator.run(`GRANT INSERT ON ${schema}.mine TO ${schema}_tenant`);
    await client.query(`SET LOCAL ROLE ${schema}_tenant`);
    await insert(1);
    expect(await transaction.commit(commitOf(opening, 1, { states: [stateOf('x')] }))).toBe('committed');
    await administrator.run(`DROP OWNED BY ${schema}_tenant; DROP ROLE ${schema}_tenant`);
  });
});

describe('a commit with a transaction', () => {
  test('is refused when a deferred constraint of the handler fails at COMMIT', async () => {
    await insert(1);
    await insert(1);
    const commit = commitOf(opening, 1, { handled: [entryOf('m')] });
    await expect(transaction.commit(commit)).rejects.toThrow(/refused the commit \(.*mine_pkey/);
    expect(await connection.lookUp([entryOf('m')])).toEqual([undefined]);
    expect(await connection.commit([commit])).toEqual(['committed']);
  });

  test('of a former owner is stale, also where the new one has written the same', async () => {
    const next = await connection.openShard(0);
    await connection.commit([commitOf(next, 1, { handled: [entryOf('m')] })]);
    await insert(1);
    expect(await transaction.commit(commitOf(opening, 1, { handled: [entryOf('m')] }))).toBe('stale');
    expect(await mine()).toEqual([]);
  });

  test('which the handler made read-only is refused for good', async () => {
    await client.query('SET TRANSACTION READ ONLY');
    await expect(transaction.commit(commitOf(opening, 1))).rejects.toThrow(/made its transaction read-only/);
    expect(await connection.commit([commitOf(opening, 1)])).toEqual(['committed']);
  });

  test('of a database that takes no writes is not', async () => {
    const role = `${schema}_app`;
    await administrator.run(`CREATE ROLE ${role} LOGIN PASSWORD 'app'; GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
    await administrator.run(`GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
    const login = urlOf((url) => Object.assign(url, { username: role, password: 'app' }));
    const other = await postgres({ connectionString: login, schema }).connect(contextOf());
    const own = await other.openShard(1);
    await administrator.run(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
    // Those that are open would go on as they began.
    await administrator.run(`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '${role}'`);
    const begun = await other.begin!();
    await expect(begun.commit(commitOf(own, 1, { shard: 1 }))).rejects.toThrow(StoreUnavailableError);
    await other.close();
    await administrator.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  test('takes its fence last: while the handler works, the shard can be opened and committed to', async () => {
    await insert(1);
    const next = await connection.openShard(0);
    expect(await connection.commit([commitOf(next, 1)])).toEqual(['committed']);
    expect(await transaction.commit(commitOf(opening, 1))).toBe('stale');
  });

  test('works without prepared statements, and without parameters of its own in the pool', async () => {
    const pool = new pg.Pool({ connectionString: sharedPostgres(), max: 2 });
    const other = await postgres({ pool, schema, prepare: false }).connect(contextOf());
    const own = await other.openShard(1);
    for (let number = 1; number <= 3; number++) {
      const begun = await other.begin!();
      await (begun.client as SqlClient).query(`INSERT INTO ${schema}.mine VALUES ($1)`, [number]);
      const parts = { shard: 1, states: [stateOf(`state ${number}`)], handled: [entryOf(`m${number}`)] };
      expect(await begun.commit(commitOf(own, number, parts))).toBe('committed');
    }
    expect(await mine()).toEqual([1, 2, 3]);
    expect(String((await other.load([KEY]))[0]!.bytes)).toBe('state 3');
    expect((await pool.query('SELECT count(*)::int AS prepared FROM pg_prepared_statements')).rows).toEqual([
      { prepared: 0 },
    ]);
    await other.close();
    await pool.end();
  });

  test('survives a handler that drops the prepared statements of its session', async () => {
    for (let number = 1; number <= 2; number++) {
      expect(await transaction.commit(commitOf(opening, number))).toBe('committed');
      await begin();
    }
    await client.query('DEALLOCATE ALL');
    await expect(transaction.commit(commitOf(opening, 3))).rejects.toThrow(StoreUnavailableError);
    expect(await connection.resolve(lostOf(commitOf(opening, 3)))).toBe('void');
    await begin();
    expect(await transaction.commit(afterVoid(commitOf(opening, 3)))).toBe('committed');
  });
});

describe('an abandoned transaction', () => {
  test('frees its locks at once, whatever it is doing', async () => {
    await insert(1);
    const asleep = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    await until(
      `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND query ~ '^SELECT pg_sleep'`,
      1,
    );
    const started = Date.now();
    await transaction.abandon();
    expect(await administrator.value(OPEN, [schema])).toBe(0);
    // The server would have let it sleep.
    expect(Date.now() - started).toBeLessThan(30_000);
    expect(await asleep).toBeInstanceOf(Error);
    await expect(insert(2)).rejects.toThrow(TransactionOverError);
  });

  test('that waits for a lock lets go of those that it has', async () => {
    const blocker = await administrator.session();
    await blocker.query('BEGIN');
    await blocker.query(`LOCK TABLE ${schema}.mine`);
    await client.query(`SELECT * FROM ${schema}.states FOR UPDATE`);
    const waiting = insert(1).catch((error: unknown) => error);
    await until(
      `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
      1,
    );
    await transaction.abandon();
    expect(await administrator.value(OPEN, [schema])).toBe(0);
    await blocker.query('ROLLBACK');
    blocker.release();
    expect(await waiting).toBeInstanceOf(Error);
    expect(await mine()).toEqual([]);
  });
});

describe('a transaction in which nothing is asked', () => {
  test('is ended by the server, so that a frozen process holds no lock for long', async () => {
    await insert(1);
    await until(OPEN, 0);
    const error: unknown = await transaction.commit(commitOf(opening, 1)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CommitRefusedError);
    expect((error as Error).message).toMatch(/transactionIdleTimeout/);
    expect(await mine()).toEqual([]);
    // Its number is free, and the store goes on.
    expect(await connection.commit([commitOf(opening, 1)])).toEqual(['committed']);
  });

  test('rejects a query of a handler that comes later', async () => {
    await until(OPEN, 0);
    await expect(insert(1)).rejects.toThrow(/idle-in-transaction timeout|not queryable|terminated/);
    await transaction.abandon();
  });
});

describe('what a transaction costs', () => {
  test('is one message to begin, one for each query, and one for all that is committed with it', async () => {
    await transaction.abandon();
    const query = jest.spyOn(pg.Client.prototype, 'query');
    try {
      await begin();
      await insert(1);
      const committed = transaction.commit(commitOf(opening, 1, { states: [stateOf('1')], handled: [entryOf('a')] }));
      expect(await committed).toBe('committed');
      // Behind them the session is tidied, for which nobody waits.
      const { text } = query.mock.calls[2]![0] as unknown as { text: string };
      expect(text).toMatch(/COMMIT$/);
      // What it does not write the server need not go through.
      expect(text).not.toMatch(/\.(outbox|enqueued)/);
    } finally {
      query.mockRestore();
    }
  });

  test('waits for other handlers however long they take: their pool is no store that is away', async () => {
    const narrow = await postgres({
      connectionString: sharedPostgres(),
      schema,
      connectTimeout: 1_500,
      connections: { transactions: 1 },
    }).connect(contextOf());
    const first = await narrow.begin!();
    const second = narrow.begin!();
    let begun = false;
    second.then(
      () => (begun = true),
      () => undefined,
    );
    await (first.client as SqlClient).query('SELECT pg_sleep(2)');
    expect(begun).toBe(false);
    await first.abandon();
    await (await second).abandon();
    await narrow.close();
  });
});

import type { CommitVerdict, ShardCommit, StoreConnection, ShardOpening } from '@mississippi/core/store';
import { postgres } from '@mississippi/postgres';
import type { PoolClient } from 'pg';
import { Administrator, newSchema, urlOf } from '../support/postgres-schemas.js';
import { commitOf, contextOf, lostOf, entryOf, KEY, messageOf, stateOf } from '../support/store-user.js';

const administrator = new Administrator();
let schema: string;
let connection: StoreConnection;
let session: PoolClient;

beforeEach(async () => {
  schema = newSchema();
  const connectionString = urlOf((url) => url.searchParams.set('application_name', schema));
  connection = await postgres({ connectionString, schema }).connect(contextOf());
  session = await administrator.session();
  await session.query(`SET search_path = ${schema}`);
});

afterEach(async () => {
  session.release(true);
  await connection.close();
  await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
});

afterAll(() => administrator.close());

/** Everything that a commit can write. */
function full(opening: ShardOpening, number: number, own: Partial<ShardCommit> = {}): ShardCommit {
  const parts = { states: [stateOf('new')], handled: [entryOf('m')], outbox: [messageOf('o')] };
  return commitOf(opening, number, { ...parts, ...own });
}

async function waiting(count: number): Promise<void> {
  const sql = `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`;
  while ((await administrator.value(sql, [schema])) !== count) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function assertWritten(isThere: boolean): Promise<void> {
  const [[state], [entry], rows] = await Promise.all([
    connection.load([KEY]),
    connection.lookUp([entryOf('m')]),
    connection.outbox(0, undefined, 10),
  ]);
  expect([state !== undefined, entry !== undefined, rows.length > 0]).toEqual([isThere, isThere, isThere]);
}

describe('a commit that waits for the row of its shard', () => {
  test('is decided on what the other left: stale after an opening', async () => {
    const opening = await connection.openShard(0);
    await session.query('BEGIN');
    await session.query(`UPDATE shards SET epoch = epoch + 1, number = 0, token = 'x'`);
    const verdicts = connection.commit([full(opening, 1)]);
    await waiting(1);
    await session.query('COMMIT');
    expect(await verdicts).toEqual(['stale']);
    await assertWritten(false);
  });

  test('is committed when the opening was undone', async () => {
    const opening = await connection.openShard(0);
    await session.query('BEGIN');
    await session.query(`UPDATE shards SET epoch = epoch + 1, number = 0, token = 'x'`);
    const verdicts = connection.commit([full(opening, 1)]);
    await waiting(1);
    await session.query('ROLLBACK');
    expect(await verdicts).toEqual(['committed']);
    await assertWritten(true);
  });

  test('is stale alone of its group', async () => {
    const openings = [await connection.openShard(0), await connection.openShard(1), await connection.openShard(2)];
    await session.query('BEGIN');
    await session.query(`UPDATE shards SET epoch = epoch + 1, number = 0, token = 'x' WHERE shard = 1`);
    const group = openings.map((opening, shard) => {
      const key = Buffer.of(shard);
      return commitOf(opening, 1, { shard, states: [stateOf('new', key)], handled: [entryOf('m', { key })] });
    });
    const verdicts = connection.commit(group);
    await waiting(1);
    await session.query('COMMIT');
    expect(await verdicts).toEqual<CommitVerdict[]>(['committed', 'stale', 'committed']);
    const states = await connection.load([Buffer.of(0), Buffer.of(1), Buffer.of(2)]);
    expect(states.map((state) => state !== undefined)).toEqual([true, false, true]);
  });

  test('and an opening behind it: the opening comes second, and sees what was committed', async () => {
    const opening = await connection.openShard(0);
    await session.query('BEGIN');
    await session.query('SELECT * FROM shards FOR UPDATE');
    const verdicts = connection.commit([full(opening, 1)]);
    await waiting(1);
    const opened = connection.openShard(0).then(async (next) => [next, await connection.load([KEY])] as const);
    await waiting(2);
    await session.query('ROLLBACK');
    expect(await verdicts).toEqual(['committed']);
    const [next, [state]] = await opened;
    expect(next.epoch).toBe(opening.epoch + 1);
    expect(String(state!.bytes)).toBe('new');
  });

  test('and the question for it behind it: the question waits, and finds it committed', async () => {
    const opening = await connection.openShard(0);
    await session.query('BEGIN');
    await session.query('SELECT * FROM shards FOR UPDATE');
    const commit = full(opening, 1);
    const verdicts = connection.commit([commit]);
    await waiting(1);
    const resolution = connection.resolve(lostOf(commit));
    await waiting(2);
    await session.query('ROLLBACK');
    expect(await Promise.all([verdicts, resolution])).toEqual([['committed'], 'committed']);
  });

  test('and the question for it before it: it is void, and the commit that comes later is stale', async () => {
    const opening = await connection.openShard(0);
    await session.query('BEGIN');
    await session.query('SELECT * FROM shards FOR UPDATE');
    const commit = full(opening, 1);
    const resolution = connection.resolve(lostOf(commit));
    await waiting(1);
    const verdicts = connection.commit([commit]);
    await waiting(2);
    await session.query('ROLLBACK');
    expect(await Promise.all([verdicts, resolution])).toEqual([['stale'], 'void']);
    await assertWritten(false);
  });

  test('ends with that of a database that allows no such wait: it is tried again, and is stale then', async () => {
    await administrator.run(`CREATE ROLE ${schema}_strict LOGIN SUPERUSER PASSWORD 'app'`);
    await administrator.run(`ALTER ROLE ${schema}_strict SET default_transaction_isolation = 'repeatable read'`);
    const connectionString = urlOf((url) => {
      Object.assign(url, { username: `${schema}_strict`, password: 'app' });
      url.searchParams.set('application_name', schema);
    });
    const strict = await postgres({ connectionString, schema }).connect(contextOf());
    const opening = await strict.openShard(0);
    await session.query('BEGIN');
    await session.query(`UPDATE shards SET epoch = epoch + 1, number = 0, token = 'x'`);
    const first = strict.commit([full(opening, 1)]).catch((error: unknown) => error);
    await waiting(1);
    await session.query('COMMIT');
    expect(await first).toMatchObject({ code: 'store_busy' });
    expect(await strict.commit([full(opening, 1)])).toEqual(['stale']);
    await strict.close();
    await administrator.run(`DROP ROLE ${schema}_strict`);
  });
});

test('groups that hold shards crosswise end with a deadlock, which is no refusal', async () => {
  const openings = [await connection.openShard(0), await connection.openShard(1)];
  await session.query('BEGIN');
  await session.query(`SET LOCAL deadlock_timeout = '60s'`);
  await session.query('SELECT * FROM shards WHERE shard = 1 FOR UPDATE');
  const verdicts = connection
    .commit(openings.map((opening, shard) => commitOf(opening, 1, { shard })))
    .catch((error: unknown) => error);
  await waiting(1);
  const other = session.query('SELECT * FROM shards WHERE shard = 0 FOR UPDATE');
  const error = await verdicts;
  expect(error).toMatchObject({ code: 'store_busy', message: expect.stringContaining('40P01') as string });
  await other;
  await session.query('ROLLBACK');
  expect(await connection.commit(openings.map((opening, shard) => commitOf(opening, 1, { shard })))).toEqual([
    'committed',
    'committed',
  ]);
});

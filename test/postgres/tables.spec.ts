import { StoreAccessError } from '@mississippi/core';
import type { StoreConnection } from '@mississippi/core/store';
import { postgres, postgresDdl, type PostgresOptions } from '@mississippi/postgres';
import { Administrator, newSchema, urlOf } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { commitOf, contextOf, entryOf, KEY, messageOf, stateOf } from '../support/store-user.js';

const administrator = new Administrator();
let schema: string;
let role: string;
let connections: StoreConnection[];

beforeEach(async () => {
  schema = newSchema();
  role = `${schema}_app`;
  connections = [];
  await administrator.run(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`);
});

afterEach(async () => {
  for (const connection of connections) await connection.close();
  await administrator.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
});

afterAll(() => administrator.close());

async function connect(options: Partial<PostgresOptions> = {}): Promise<StoreConnection> {
  const store = postgres({ connectionString: sharedPostgres(), schema, ...options });
  const connection = await store.connect(contextOf());
  connections.push(connection);
  return connection;
}

/** As an app that may do what it was granted, and no more. */
function asApp(): Partial<PostgresOptions> {
  return { connectionString: urlOf((url) => Object.assign(url, { username: role, password: 'app' })) };
}

async function version(): Promise<unknown> {
  return administrator.value(`SELECT number FROM ${schema}.version`);
}

/** Does everything that a store does in its life. */
async function exercise(connection: StoreConnection): Promise<void> {
  const opening = await connection.openShard(0);
  const parts = { states: [stateOf('kept')], handled: [entryOf('m')], outbox: [messageOf('o')] };
  expect(await connection.commit([commitOf(opening, 1, parts)])).toEqual(['committed']);
  const transaction = await connection.begin!();
  const sent = [{ shard: 0, epoch: opening.epoch, commit: 1, index: 0 }];
  const [previous] = await connection.load([KEY]);
  const states = [{ key: KEY, state: undefined, ttl: undefined }];
  const audit = [{ key: KEY, action: 'forgotten', by: 'ann', reason: 'a test', process: 'p', previous }] as const;
  expect(await transaction.commit(commitOf(opening, 2, { sent, states, audit }))).toBe('committed');
  expect(await connection.outbox(0, undefined, 10)).toEqual([]);
  expect(await connection.load([KEY])).toEqual([undefined]);
  expect(await connection.audit({ key: KEY, since: undefined, limit: 9 })).toMatchObject([{ by: 'ann' }]);
  expect(await connection.lookUp([entryOf('m')])).toMatchObject([{ outcome: 'handled' }]);
}

describe('the tables', () => {
  test('are made at the first start, and left alone at the second', async () => {
    const opening = await (await connect()).openShard(0);
    await connections[0]!.commit([commitOf(opening, 1, { states: [stateOf('kept')] })]);
    const [state] = await (await connect()).load([KEY]);
    expect(String(state!.bytes)).toBe('kept');
    expect(await version()).toBe(2);
  });

  test('are made once by processes that start together', async () => {
    await Promise.all(Array.from({ length: 8 }, () => connect()));
    expect(await administrator.rows(`SELECT number FROM ${schema}.version`)).toEqual([{ number: 2 }]);
  });

  test('are what a DBA gets from postgresDdl', async () => {
    await administrator.run(postgresDdl({ schema }));
    const printed = await shapeOf(schema);
    await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
    await connect();
    expect(printed.length).toBeGreaterThan(40);
    expect(await shapeOf(schema)).toEqual(printed);
  });

  test('may belong to another role: the app needs what postgresDdl grants, and no right to create', async () => {
    await administrator.run(postgresDdl({ schema, role }));
    await exercise(await connect({ ...asApp(), migrate: false }));
    await connect(asApp());
  });

  test('go into a schema that is there already, by a role that may create none', async () => {
    await administrator.run(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
    await exercise(await connect(asApp()));
  });

  test('are refused to a role that may not make them, with the statements that a DBA is to run', async () => {
    const error = await connect(asApp()).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(StoreAccessError);
    expect(error).toMatchObject({ reason: 'permission' });
    expect((error as Error).message).toContain(postgresDdl({ schema, role }));
    expect(await administrator.value(`SELECT to_regnamespace('${schema}')`)).toBeNull();
  });

  test('are refused to a role that was granted nothing on them', async () => {
    await administrator.run(postgresDdl({ schema }));
    await expect(connect(asApp())).rejects.toMatchObject({ code: 'store_access', reason: 'permission' });
  });

  test('are refused to a role that lacks one right on one of them, with the statements that grant it', async () => {
    await administrator.run(postgresDdl({ schema, role }));
    await administrator.run(`REVOKE TRUNCATE ON ${schema}.inbox_3 FROM ${role}`);
    const error = await connect(asApp()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ reason: 'permission', message: expect.stringContaining('(TRUNCATE)') });
    const [, statements] = (error as Error).message.split(/run\n/);
    await administrator.run(statements!);
    await exercise(await connect(asApp()));
  });

  test('can be used after a DBA has run what the refusal says, and nothing else', async () => {
    const error = await connect(asApp()).catch((reason: unknown) => reason);
    const statements = /BEGIN;[^]*COMMIT;/.exec((error as Error).message)![0];
    await administrator.run(statements);
    await exercise(await connect(asApp()));
  });

  test('are not made with migrate: false', async () => {
    await expect(connect({ migrate: false })).rejects.toMatchObject({ code: 'store_access', reason: 'configuration' });
    expect(await administrator.value(`SELECT to_regnamespace('${schema}')`)).toBeNull();
  });

  test('are upgraded from what a start that was killed in the middle left: a schema, and nothing in it', async () => {
    await administrator.run(`CREATE SCHEMA ${schema}`);
    await exercise(await connect());
  });

  test.each(['by the app', 'by what a DBA runs'])(
    'are upgraded from version 1 %s: states stay, with revisions',
    async (how) => {
      await administrator.run(postgresDdl({ schema }));
      await administrator.run(`DROP TABLE ${schema}.audit;
      ALTER TABLE ${schema}.states DROP COLUMN revision, DROP COLUMN changed_at;
      UPDATE ${schema}.version SET number = 1, oldest = 1;
      INSERT INTO ${schema}.instances (id, name, transport, total_count, hash, inbox_horizon, settle_time)
        VALUES (1, 'default', 'memory', 4, 'phash2', 0, 0);
      INSERT INTO ${schema}.states (instance, key, version, bytes) VALUES (1, '\\x${KEY.toString('hex')}', 1, 'old')`);
      if (how !== 'by the app') await administrator.run(postgresDdl({ schema, role, fromVersion: 1 }));
      const connection = await connect(how === 'by the app' ? {} : { ...asApp(), migrate: false });
      expect(await connection.load([KEY])).toMatchObject([{ version: 1, revision: 1, changedAt: undefined }]);
      expect(await version()).toBe(2);
      const opening = await connection.openShard(0);
      await connection.commit([commitOf(opening, 1, { states: [stateOf('new')] })]);
      expect(await connection.load([KEY])).toMatchObject([{ revision: 2, changedAt: expect.any(Date) as Date }]);
    },
  );

  test('keep what operators did from an app that does not own them', async () => {
    await administrator.run(postgresDdl({ schema, role }));
    await exercise(await connect({ ...asApp(), migrate: false }));
    const may = (right: string) =>
      administrator.value(`SELECT has_table_privilege('${role}', '${schema}.audit', '${right}')`);
    expect([
      await may('INSERT'),
      await may('SELECT'),
      await may('UPDATE'),
      await may('DELETE'),
      await may('TRUNCATE'),
    ]).toEqual([true, true, false, false, false]);
  });

  test('of a newer release are used where that one says so, and refused where not', async () => {
    await connect();
    await administrator.run(`UPDATE ${schema}.version SET number = 7`);
    await connect();
    expect(await version()).toBe(7);
    await administrator.run(`UPDATE ${schema}.version SET oldest = 6`);
    const refusal = {
      code: 'store_access',
      reason: 'version',
      message: expect.stringContaining('version 7') as string,
    };
    await expect(connect()).rejects.toMatchObject(refusal);
  });
});

/** Columns, indexes and parts of a schema's tables. */
async function shapeOf(name: string): Promise<readonly Record<string, unknown>[]> {
  return administrator.rows(
    `SELECT c.relname, c.relkind, c.reloptions, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
     WHERE c.relnamespace = to_regnamespace($1) ORDER BY 1, a.attnum`,
    [name],
  );
}

import { inspect } from 'node:util';
import { StoreAccessError, StoreUnavailableError } from '@mississippi/core';
import { postgres } from '@mississippi/postgres';
import pg from 'pg';
import { freePort } from '../support/rabbitmq-node.js';
import { Administrator, newSchema, urlOf } from '../support/postgres-schemas.js';
import { contextOf } from '../support/store-user.js';

const PASSWORD = 'Never-To-Be-Seen';

/** What a start is refused with. */
async function refusal(connectionString: string, schema = 'never'): Promise<Error> {
  const store = postgres({ connectionString, schema });
  expect(inspect(store, { depth: 9, showHidden: false })).not.toContain(PASSWORD);
  const error: unknown = await store.connect(contextOf()).catch((error: unknown) => error);
  // Neither its text nor what is printed with it.
  expect(inspect(error, { depth: 9 })).not.toContain(PASSWORD);
  return error as Error;
}

describe('a start is refused', () => {
  test('for a wrong password', async () => {
    const error = await refusal(urlOf((url) => (url.password = PASSWORD)));
    expect(error).toBeInstanceOf(StoreAccessError);
    expect(error).toMatchObject({ reason: 'authentication' });
  });

  test('for a user that does not exist', async () => {
    const error = await refusal(urlOf((url) => Object.assign(url, { username: 'nobody_here', password: PASSWORD })));
    expect(error).toMatchObject({ code: 'store_access', reason: 'authentication' });
  });

  test('for a password that is missing', async () => {
    expect(await refusal(urlOf((url) => (url.password = '')))).toMatchObject({
      code: 'store_access',
      reason: 'authentication',
    });
  });

  test('for a database that does not exist', async () => {
    const error = await refusal(urlOf((url) => (url.pathname = '/not_there')));
    expect(error).toMatchObject({ code: 'store_access', reason: 'database' });
  });

  test('while nothing listens, as something that may be tried again', async () => {
    const error = await refusal(`postgres://postgres:${PASSWORD}@127.0.0.1:${await freePort()}/postgres`);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(/^PostgreSQL cannot be reached \(.+\): start it/);
  });

  test('for a host that does not exist, as something that may be tried again', async () => {
    const error = await refusal(`postgres://postgres:${PASSWORD}@no-such-host.invalid/postgres`);
    expect(error).toBeInstanceOf(StoreUnavailableError);
  });

  test('and leaves no connection behind', async () => {
    const administrator = new Administrator();
    const schema = newSchema();
    await administrator.run(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.version (number text, oldest integer)`);
    await administrator.run(`INSERT INTO ${schema}.version VALUES ('9', 9)`);
    const error = await refusal(
      urlOf((url) => url.searchParams.set('application_name', schema)),
      schema,
    );
    expect(error).toMatchObject({ code: 'store_access', reason: 'version' });
    const sessions = `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1`;
    while ((await administrator.value(sessions, [schema])) !== 0);
    await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
    await administrator.close();
  });
});

describe("a pool of the app's", () => {
  test('keeps its password to itself, and gives it to the committer', async () => {
    const administrator = new Administrator();
    const schema = newSchema();
    const pool = new pg.Pool({ connectionString: urlOf(() => undefined), max: 1 });
    const store = postgres({ pool, schema });
    const connection = await store.connect(contextOf());
    await connection.openShard(0);
    // Handlers have all of it, and the committer goes on.
    const transaction = await connection.begin!();
    expect(pool.totalCount).toBe(1);
    expect(await connection.openShard(0)).toMatchObject({ epoch: 2 });
    await transaction.abandon();
    await connection.close();
    // It is the app's: it is still open.
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
    await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
    await administrator.close();
  });

  test('of a pg that would run several statements at once is refused', async () => {
    class OldClient extends pg.Client {
      override query(query: never): never {
        return super.query({ ...(query as object), queryMode: undefined } as never);
      }
    }
    const pool = new pg.Pool({ connectionString: urlOf(() => undefined), Client: OldClient });
    const refused = postgres({ pool, schema: 'never' }).connect(contextOf());
    await expect(refused).rejects.toMatchObject({ code: 'store_access', reason: 'configuration' });
    await pool.end();
  });
});

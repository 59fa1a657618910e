import { StoreInUseError, StoreUnavailableError } from '@mississippi/core';
import type { ShardCommit, StoreConnection, StoreContext, ShardOpening } from '@mississippi/core/store';
import { postgres, type PostgresOptions, type SqlClient } from '@mississippi/postgres';
import { Administrator, newSchema, urlOf } from '../support/postgres-schemas.js';
import { PostgresServer } from '../support/postgres-server.js';
import { sharedPostgres } from '../support/postgres.js';
import { afterVoid, commitOf, contextOf, lostOf, entryOf, KEY, stateOf } from '../support/store-user.js';
import { TcpProxy, type ProxiedConnection } from '../support/tcp-proxy.js';

const administrator = new Administrator();
let schema: string;
let proxy: TcpProxy;
let connections: StoreConnection[];

beforeEach(async () => {
  schema = newSchema();
  proxy = await TcpProxy.start(sharedPostgres());
  connections = [];
});

afterEach(async () => {
  proxy.heal();
  for (const connection of connections) await connection.close();
  await proxy.close();
  await administrator.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
});

afterAll(() => administrator.close());

async function connect(
  context: Partial<StoreContext> = {},
  options: Partial<PostgresOptions> = {},
): Promise<StoreConnection> {
  const connectionString = urlOf((url) => {
    url.host = `127.0.0.1:${proxy.port}`;
    url.searchParams.set('application_name', schema);
  });
  const connection = await postgres({ connectionString, schema, ...options }).connect(contextOf(context));
  connections.push(connection);
  return connection;
}

/** Asks again until the store can be asked. */
async function reached<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function commitWith(opening: ShardOpening, number: number): ShardCommit {
  return commitOf(opening, number, { states: [stateOf(`state ${number}`)], handled: [entryOf(`m${number}`)] });
}

function newest(): ProxiedConnection {
  return [...proxy.connections].at(-1)!;
}

describe('a connection that breaks', () => {
  test.each([1, 6, 40])('behind COMMIT, %d bytes into its answer: the commit has happened', async (bytes) => {
    const connection = await connect();
    const opening = await connection.openShard(0);
    const commit = commitWith(opening, 1);
    newest().cutAfter('down', bytes, () => undefined);
    await expect(connection.commit([commit])).rejects.toThrow(StoreUnavailableError);
    expect(connection.status()).toMatchObject({ connected: false });
    expect(await reached(() => connection.resolve(lostOf(commit)))).toBe('committed');
    expect(connection.status()).toEqual({ connected: true });
    expect(await connection.commit([commitWith(opening, 2)])).toEqual(['committed']);
  });

  test.each([1, 200, 1_000])('%d bytes into the commit: it has not happened, and never will', async (bytes) => {
    const connection = await connect();
    const opening = await connection.openShard(0);
    const commit = commitWith(opening, 1);
    newest().cutAfter('up', bytes, () => undefined);
    await expect(connection.commit([commit])).rejects.toThrow(StoreUnavailableError);
    expect(await reached(() => connection.resolve(lostOf(commit)))).toBe('void');
    expect(await connection.commit([commit])).toEqual(['stale']);
    expect(await connection.load([KEY])).toEqual([undefined]);
    expect(await connection.commit([afterVoid(commit)])).toEqual(['committed']);
  });

  test.each(['up', 'down'] as const)("in the commit of a handler's transaction, on its way %s", async (direction) => {
    const connection = await connect();
    const opening = await connection.openShard(0);
    await administrator.run(`CREATE TABLE ${schema}.mine (id integer)`);
    const transaction = await connection.begin!();
    await (transaction.client as SqlClient).query(`INSERT INTO ${schema}.mine VALUES (1)`);
    newest().cutAfter(direction, 1, () => undefined);
    await expect(transaction.commit(commitWith(opening, 1))).rejects.toThrow(StoreUnavailableError);
    const happened = direction === 'down';
    expect(await reached(() => connection.resolve(lostOf(commitWith(opening, 1))))).toBe(
      happened ? 'committed' : 'void',
    );
    expect(await administrator.rows(`SELECT id FROM ${schema}.mine`)).toEqual(happened ? [{ id: 1 }] : []);
  });
});

test('a server that does not answer is given up after requestTimeout, and asked again by another connection', async () => {
  const connection = await connect({}, { requestTimeout: 2_000, connectTimeout: 2_000 });
  const opening = await connection.openShard(0);
  proxy.freeze();
  await expect(connection.commit([commitWith(opening, 1)])).rejects.toThrow(/cannot be asked at present \(.*timeout/);
  await expect(connection.load([KEY])).rejects.toThrow(StoreUnavailableError);
  proxy.cut();
  proxy.heal();
  expect(await reached(() => connection.resolve(lostOf(commitWith(opening, 1))))).toBe('void');
  expect(await connection.commit([afterVoid(commitWith(opening, 1))])).toEqual(['committed']);
});

describe('an exclusive claim', () => {
  test('that was lost with its connection is taken again before anything else happens', async () => {
    const connection = await connect({ exclusive: true });
    const lock = `SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND a.application_name = $1`;
    const before = await administrator.value(lock, [schema]);
    expect(before).toEqual(expect.any(Number));
    proxy.cut();
    // The process learns of it when its socket does.
    for (let now = before; now === undefined || now === before; now = await administrator.value(lock, [schema])) {
      await reached(() => connection.load([KEY]));
    }
    await expect(connect({ exclusive: true })).rejects.toThrow(StoreInUseError);
    expect(await connection.openShard(0)).toMatchObject({ epoch: 1 });
  });

  test('that another process has taken meanwhile stops the first one', async () => {
    const first = await connect({ exclusive: true });
    proxy.freeze();
    for (const proxied of proxy.connections) proxied.broker.destroy();
    const second = await reached(() =>
      connect({ exclusive: true }, { connectionString: sharedPostgres() }).catch((error: unknown) => {
        if (error instanceof StoreInUseError) throw new StoreUnavailableError('not yet');
        throw error;
      }),
    );
    proxy.heal();
    proxy.cut();
    await expect(reached(() => first.openShard(0))).rejects.toThrow(StoreInUseError);
    expect(await second.openShard(0)).toMatchObject({ epoch: 1 });
  });
});

test('a server that is killed and started again has what was committed, and is asked again', async () => {
  const server = await PostgresServer.start();
  const connection = await postgres({ connectionString: server.url }).connect(contextOf());
  connections.push(connection);
  const opening = await connection.openShard(0);
  expect(await connection.commit([commitWith(opening, 1)])).toEqual(['committed']);
  const transaction = await connection.begin!();
  await server.kill();
  await expect(connection.commit([commitWith(opening, 2)])).rejects.toThrow(StoreUnavailableError);
  await expect(transaction.commit(commitWith(opening, 2))).rejects.toThrow(StoreUnavailableError);
  await expect(connection.begin!()).rejects.toThrow(StoreUnavailableError);
  expect(connection.status().problem).toMatch(/cannot be asked/);
  await server.boot();
  expect(await reached(() => connection.resolve(lostOf(commitWith(opening, 2))))).toBe('void');
  expect(String((await connection.load([KEY]))[0]!.bytes)).toBe('state 1');
  expect(await connection.commit([afterVoid(commitWith(opening, 2))])).toEqual(['committed']);
  await connection.close();
  await server.stop();
});

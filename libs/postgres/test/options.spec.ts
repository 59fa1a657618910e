import { inspect } from 'node:util';
import { InvalidOptionsError, StoreAccessError } from '@mississippi/core';
import pg from 'pg';
import { postgres, postgresDdl, type PostgresOptions } from '../src/index.js';
import { checkVersion } from '../src/schema/server-check.js';

const PASSWORD = 'Never-To-Be-Seen';
const connectionString = `postgres://app:${PASSWORD}@localhost/app`;
const pool = new pg.Pool({ connectionString });

/** The problems of options, none of which may show a secret. */
function problems(options: unknown): string[] {
  try {
    postgres(options as PostgresOptions);
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    expect(inspect(error, { depth: 9 })).not.toContain(PASSWORD);
    return error.problems.map(({ path, expected }) => `${path}: ${expected}`);
  }
  return [];
}

describe('the options', () => {
  test.each([
    { connectionString },
    { connectionString: 'postgresql:///app?host=/var/run/postgresql' },
    { connectionString: '/var/run/postgresql app' },
    { pool },
    { folder: './data' },
    { connectionString, ssl: { ca: 'x' }, schema: 'My_schema', migrate: false, prepare: false },
    { connectionString, connections: { committer: 2, transactions: 3 }, transactionIdleTimeout: 1 },
  ])('%j are taken', (options) => {
    expect(problems(options)).toEqual([]);
  });

  test.each<[unknown, string]>([
    [{}, 'postgres: one of connectionString, pool, folder and pglite was expected'],
    [
      { pool, connectionString },
      'postgres.connectionString: one of connectionString, pool, folder and pglite was expected',
    ],
    [
      { connectionString, folder: 'data' },
      'postgres.connectionString: one of connectionString, pool, folder and pglite was expected',
    ],
    [{ folder: '' }, 'postgres.folder: the path of a folder was expected'],
    [{ connectionString: `mysql://app:${PASSWORD}@h/d` }, 'postgres.connectionString: a connection string such as'],
    [
      { connectionString: `postgres://app:${PASSWORD}@h:no/d` },
      'postgres.connectionString: a connection string such as',
    ],
    [{ connectionString: '' }, 'postgres.connectionString: a connection string such as'],
    [{ pool: { password: PASSWORD } }, 'postgres.pool: a Pool of pg was expected'],
    [{ pglite: { password: PASSWORD } }, 'postgres.pglite: a PGlite was expected'],
    [{ connectionString, ssl: PASSWORD }, 'postgres.ssl: true, false, or options'],
    [{ connectionString, schema: 'pg_mine' }, 'postgres.schema: a name of 1 to 63'],
    [{ connectionString, schema: 'x"; DROP' }, 'postgres.schema: a name of 1 to 63'],
    [{ connectionString, prepare: 'no' }, 'postgres.prepare: true or false'],
    [{ connectionString, requestTimeout: 0 }, 'postgres.requestTimeout: a number of milliseconds, at least 1'],
    [{ connectionString, connections: { committer: 0 } }, 'postgres.connections.committer: a whole number'],
    [{ pool, connections: { transactions: 5 } }, 'postgres.connections'],
    [{ connectionString, tables: 'x' }, 'postgres.tables: there is no such option'],
  ])('%j are refused by name', (options, problem) => {
    expect(problems(options)).toEqual([expect.stringContaining(problem)]);
  });

  test('of the DDL are checked too', () => {
    expect(() => postgresDdl({ schema: '1' })).toThrow(InvalidOptionsError);
    expect(postgresDdl({ schema: 'mine', role: 'the "app"' })).toContain('ON SCHEMA "mine" TO "the ""app"""');
    expect(postgresDdl({ fromVersion: 2 })).toBe('BEGIN;\nCOMMIT;\n');
  });
});

test('a server that is too old is refused by its version', () => {
  expect(() => checkVersion(130_000, '13.0')).not.toThrow();
  expect(() => checkVersion(120_022, '12.22')).toThrow(StoreAccessError);
  expect(() => checkVersion(120_022, '12.22')).toThrow('PostgreSQL 12.22, and 13 or newer is needed');
});

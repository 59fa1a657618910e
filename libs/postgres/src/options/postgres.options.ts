import { expects, IsCount, IsMilliseconds, Nested, Optional } from '@mississippi/core/transport';
import type { PgliteLike, PostgresPool } from '../database/given.js';
import { IsConnectionString, IsPglite, IsPool, IsSchemaName, IsSwitch, IsText, IsTls } from './validators.js';

export const ONE_PLACE = 'one of connectionString, pool, folder and pglite was expected';

/**
 * How many connections the store keeps, at most. Those of the committer are apart from those of handlers, so that handlers cannot
 * starve it.
 * @publicApi
 */
export class PostgresConnectionsOptions {
  /** For commits, loads and look-ups. Default 4. */
  @Optional()
  @IsCount({ max: 100 })
  committer?: number;

  /** For `context.transaction()`. Default 10; with a `pool`, its own size counts. */
  @Optional()
  @IsCount({ max: 1_000 })
  transactions?: number;
}

/**
 * Where the store is: exactly one of `connectionString`, `pool`, `folder` and `pglite`. All else may be left out.
 * @publicApi
 */
export class PostgresOptions {
  /** `postgres://user:password@host:5432/database`, or what else `pg` takes. */
  @Optional()
  @IsConnectionString()
  @Fits(hasOnePlace, ONE_PLACE)
  connectionString?: string;

  /**
   * A pool of `pg`, 8.12 or newer. Handlers' transactions take their connections from it; the committer opens its own, with the pool's options.
   * The pool is not ended with the store.
   */
  @Optional()
  @IsPool()
  pool?: PostgresPool;

  /**
   * A folder on this machine, for one process: the store makes it, claims it, opens a PGlite of `@electric-sql/pglite` in it, which has to be installed,
   * and closes that when it is closed itself. What was committed outlives `kill -9`.
   */
  @Optional()
  @IsText(/^[^\0]+$/, 'the path of a folder was expected')
  folder?: string;

  /**
   * A PGlite of `@electric-sql/pglite`, for one process. It is one session: while a handler's transaction is open, nothing else is
   * asked or committed. It is not closed with the store. For one that keeps its files, `folder` is better: whoever opens a PGlite on a folder that another
   * process has open damages it, before any store can refuse.
   */
  @Optional()
  @IsPglite()
  pglite?: PgliteLike;

  /** TLS as `pg` takes it, beside a `connectionString`. */
  @Optional()
  @IsTls()
  ssl?: boolean | object;

  /** Schema of the tables. Default `mississippi`. */
  @Optional()
  @IsSchemaName()
  schema?: string;

  /** Whether the tables are made and upgraded at the start. Default `true`; `false` where a role without the right runs the app. */
  @Optional()
  @IsSwitch()
  migrate?: boolean;

  /** Whether the server keeps statements prepared. Default `true`; `false` for PgBouncer in transaction mode. */
  @Optional()
  @IsSwitch()
  prepare?: boolean;

  @Optional()
  @Nested(() => PostgresConnectionsOptions)
  @Fits(
    ({ pool, connections }) => pool === undefined || connections?.transactions === undefined,
    'beside a pool, whose own size counts, no transactions were expected',
  )
  connections?: PostgresConnectionsOptions;

  /** How long one attempt to connect may take. Milliseconds, default 10,000. */
  @Optional()
  @IsMilliseconds({ min: 1 })
  connectTimeout?: number;

  /** After which time without an answer the connection is given up. Milliseconds, default 15,000. */
  @Optional()
  @IsMilliseconds({ min: 1 })
  requestTimeout?: number;

  /**
   * How long a handler's transaction may be open without a query under way: whoever froze in it holds its locks no longer.
   * Milliseconds, default 5,000.
   */
  @Optional()
  @IsMilliseconds({ min: 1 })
  transactionIdleTimeout?: number;
}

/**
 * Which statements are wanted.
 * @publicApi
 */
export class PostgresDdlOptions {
  /** Schema of the tables. Default `mississippi`. */
  @Optional()
  @IsSchemaName()
  schema?: string;

  /** The app's role: what it needs is granted to it. */
  @Optional()
  @IsText(/./, 'the name of a role was expected')
  role?: string;

  /** The tables' version in the database, from `SELECT number FROM mississippi.version`. Default 0: there are none. */
  @Optional()
  @IsCount({ min: 0 })
  fromVersion?: number;
}

export function hasOnePlace({ connectionString, pool, folder, pglite }: PostgresOptions): boolean {
  return [connectionString, pool, folder, pglite].filter((place) => place !== undefined).length === 1;
}

/** Agrees with the other options. */
function Fits(test: (options: PostgresOptions) => boolean, expected: string): PropertyDecorator {
  return expects((_value, { object }) => test(object), expected);
}

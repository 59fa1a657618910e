/**
 * A `Pool` of pg.
 * @publicApi
 */
export interface PostgresPool {
  readonly options: object;
  readonly connect: (...args: never[]) => unknown;
}

/**
 * A `PGlite` of `@electric-sql/pglite`.
 * @publicApi
 */
export interface PgliteLike {
  readonly dataDir?: string | undefined;
  readonly exec: (...args: never[]) => unknown;
  readonly transaction: (...args: never[]) => unknown;
}

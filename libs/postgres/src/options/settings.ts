import { InvalidOptionsError } from '@mississippi/core';
import type { PgliteLike, PostgresPool } from '../database/given.js';
import { checkOptions } from './check-options.js';
import { hasOnePlace, ONE_PLACE, PostgresOptions } from './postgres.options.js';

/** Where the database is. No view of it shows the password. */
export type Place =
  | { readonly kind: 'server'; readonly address: () => { connectionString: string; ssl?: boolean | object } }
  | { readonly kind: 'pool'; readonly pool: PostgresPool }
  | { readonly kind: 'pglite'; readonly pglite: PgliteLike }
  | { readonly kind: 'folder'; readonly folder: string };

/** The options with every default filled in. Times are milliseconds. */
export interface Settings {
  readonly place: Place;
  readonly schema: string;
  readonly migrate: boolean;
  readonly prepare: boolean;
  readonly committer: number;
  readonly transactions: number;
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly transactionIdleTimeout: number;
}

/** @throws {InvalidOptionsError} */
export function settingsOf(given: unknown): Settings {
  const options = checkOptions('postgres', PostgresOptions, given);
  const { connections = {} } = options;
  return {
    place: placeOf(options),
    schema: options.schema ?? 'mississippi',
    migrate: options.migrate ?? true,
    prepare: options.prepare ?? true,
    committer: connections.committer ?? 4,
    transactions: connections.transactions ?? 10,
    connectTimeout: options.connectTimeout ?? 10_000,
    requestTimeout: options.requestTimeout ?? 15_000,
    transactionIdleTimeout: options.transactionIdleTimeout ?? 5_000,
  };
}

function placeOf(options: PostgresOptions): Place {
  if (!hasOnePlace(options)) throw new InvalidOptionsError([{ path: 'postgres', expected: ONE_PLACE }]);
  const { connectionString, ssl, pool, pglite, folder } = options;
  if (folder !== undefined) return { kind: 'folder', folder };
  if (pglite !== undefined) return { kind: 'pglite', pglite };
  if (pool !== undefined) return { kind: 'pool', pool };
  const address = { connectionString: connectionString!, ...(ssl === undefined ? {} : { ssl }) };
  return { kind: 'server', address: () => address };
}

export type { PgliteLike, PostgresPool } from './database/given.js';
export type { SqlClient, SqlResult } from './database/sql-client.interface.js';
export { TransactionControlError, TransactionOverError } from './errors/transaction.errors.js';
export { PostgresConnectionsOptions, PostgresDdlOptions, PostgresOptions } from './options/postgres.options.js';
export { postgres, PostgresStore } from './postgres-store.js';
export { postgresDdl } from './schema/postgres-ddl.js';

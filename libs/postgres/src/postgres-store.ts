import type { Store, StoreConnection, StoreContext } from '@mississippi/core/store';
import type { Database } from './database/database.interface.js';
import { EmbeddedDatabase } from './embedded/pglite-database.js';
import type { Pglite } from './embedded/pglite.js';
import { givenPglite } from './embedded/pglite-source.js';
import { shareFolder } from './embedded/shared-folder.js';
import { asConnectError } from './errors/translate.js';
import { Maintenance } from './maintenance/maintenance.js';
import { Pruning } from './maintenance/pruning.js';
import type { PostgresOptions } from './options/postgres.options.js';
import { settingsOf, type Settings } from './options/settings.js';
import { PostgresConnection } from './postgres-connection.js';
import { checkRights } from './schema/check-rights.js';
import { prepareTables } from './schema/migrate.js';
import { postgresDdl } from './schema/postgres-ddl.js';
import { registerInstance } from './schema/register.js';
import { checkServer } from './schema/server-check.js';
import { ServerDatabase } from './server/server-database.js';
import { tablesIn } from './statements/tables.js';

/**
 * Keeps states, inbox and outbox in PostgreSQL 13 or newer, or in a PGlite.
 * @example
 * MississippiModule.forRoot({ transport: rabbitmq(), store: postgres({ connectionString: 'postgres://app@db/app' }) })
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function postgres(options: PostgresOptions): PostgresStore {
  return new PostgresStore(options);
}

/** @publicApi */
export class PostgresStore implements Store {
  readonly name = 'postgres';
  readonly #settings: Settings;

  constructor(options: PostgresOptions) {
    this.#settings = settingsOf(options);
  }

  /**
   * @throws {StoreAccessError} for what waiting does not mend: a wrong password, a missing right or database, a server too old
   * @throws {StoreUnavailableError} when the server cannot be reached
   * @throws {StoreMismatchError}
   * @throws {StoreInUseError}
   */
  async connect(context: StoreContext): Promise<StoreConnection> {
    const { schema } = this.#settings;
    const database = databaseOf(this.#settings);
    let role: string | undefined;
    try {
      await database.open();
      await checkServer(database, context.logger);
      role = await checkRights(database, schema);
      return await prepare(database, this.#settings, context);
    } catch (error) {
      await database.close().catch(() => undefined);
      throw asConnectError(error, () => forDba(schema, role));
    }
  }
}

function forDba(schema: string, role: string | undefined): string {
  return `let a role that may make tables run what postgresDdl gives:\n${postgresDdl({ schema, ...(role === undefined ? {} : { role }) })}`;
}

function databaseOf(settings: Settings): ServerDatabase | EmbeddedDatabase {
  const { place } = settings;
  if (place.kind === 'folder') return new EmbeddedDatabase(() => shareFolder(place.folder), settings);
  if (place.kind !== 'pglite') return new ServerDatabase(settings);
  return new EmbeddedDatabase(() => givenPglite(place.pglite as unknown as Pglite), settings);
}

async function prepare(database: Database, settings: Settings, context: StoreContext): Promise<StoreConnection> {
  const { schema, migrate } = settings;
  const { instance } = context;
  const tables = tablesIn(schema);
  await prepareTables(database, schema, migrate);
  const number = await registerInstance(database, tables, context);
  if (context.exclusive) await database.claim(`The instance '${instance}' in the schema ${schema}`);
  const maintenance = new Maintenance(database, tables, number, new Pruning(database, tables), context);
  return new PostgresConnection({ database, tables, instance: number, maintenance });
}

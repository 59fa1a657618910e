import type { MississippiError } from '@mississippi/core';
import { sqlStateOf, SQL_STATE } from '../errors/sql-states.js';
import { asConnectError } from '../errors/translate.js';
import type { PostgresOptions } from '../options/postgres.options.js';
import { settingsOf } from '../options/settings.js';
import { TABLES_VERSION } from '../schema/tables.js';
import { ServerDatabase } from '../server/server-database.js';
import { bytes, text, type Param } from '../statements/params.js';
import { statement } from '../statements/statement.js';
import { tablesIn } from '../statements/tables.js';
import { stateAddress } from '../values/addresses.js';
import type { Row } from '../values/row.js';

/**
 * An app's instance, as the store knows it.
 * @publicApi
 */
export interface StoreInstance {
  readonly name: string;
  readonly transport: string;
  readonly totalCount: number;
  readonly hash: string;
}

/**
 * A store as it is found.
 * @publicApi
 */
export interface StoreFacts {
  /** Of PostgreSQL. */
  readonly server: string;
  readonly schema: string;
  /** Version of the tables; 0 where there are none. */
  readonly version: number;
  /** The oldest version that a release has to know to use them. */
  readonly oldest: number;
  /** The version that this release knows. */
  readonly known: number;
  readonly instances: readonly StoreInstance[];
}

/**
 * The state of a key, as it is stored.
 * @publicApi
 */
export interface InspectedState {
  /** Of the form of the state, the option `stateVersion`. */
  readonly form: number;
  /** Of this state, as an edit names it; `undefined` in tables of before they had one. */
  readonly version: number | undefined;
  readonly bytes: Uint8Array;
}

/**
 * Looks into a store on a server and changes nothing there: it makes no table and registers no instance.
 * @publicApi
 */
export class StoreInspection {
  private readonly database: ServerDatabase;
  private readonly schema: string;

  /** @throws {InvalidOptionsError} */
  constructor(options: PostgresOptions) {
    const settings = settingsOf(options);
    this.database = new ServerDatabase(settings);
    this.schema = settings.schema;
  }

  /**
   * @throws {StoreUnavailableError} when the server cannot be reached
   * @throws {StoreAccessError} for a wrong password, a missing right or database
   */
  async facts(): Promise<StoreFacts> {
    const { schema } = this;
    const [[server] = []] = await this.ask('server_version', `SELECT current_setting('server_version')`);
    const tables = tablesIn(schema);
    const [version] = await this.unlessMissing('version', `SELECT number, oldest FROM ${tables.version}`);
    const rows =
      version === undefined
        ? []
        : await this.ask(
            'instances',
            `SELECT name, transport, total_count, hash FROM ${tables.instances} ORDER BY name`,
          );
    return {
      server: String(server),
      schema,
      version: Number(version?.[0] ?? 0),
      oldest: Number(version?.[1] ?? 0),
      known: TABLES_VERSION,
      instances: rows.map(([name, transport, totalCount, hash]) => ({
        name: String(name),
        transport: String(transport),
        totalCount: Number(totalCount),
        hash: String(hash),
      })),
    };
  }

  /**
   * `undefined` where nothing is stored of the key. Rejects as {@link facts}.
   * @param key in the external term format, as `encodeShardingKey` gives it
   */
  async state(instance: string, key: Uint8Array): Promise<InspectedState | undefined> {
    const tables = tablesIn(this.schema);
    const [row] = await this.unlessMissing(
      'state',
      `SELECT s.version, s.bytes, (to_jsonb(s) - 'key' - 'bytes') ->> 'revision' FROM ${tables.states} s JOIN ${tables.instances} i ON i.id = s.instance
WHERE i.name = $1::text AND s.key = $2::bytea AND (s.expires_at IS NULL OR s.expires_at > now())`,
      [text(instance), bytes(stateAddress(key))],
    );
    if (row === undefined) return undefined;
    const [form, stored, revision] = row;
    return {
      form: Number(form),
      version: revision === null ? undefined : Number(revision),
      bytes: stored as Buffer,
    };
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  private async unlessMissing(what: string, sql: string, params: readonly Param[] = []): Promise<readonly Row[]> {
    try {
      return await this.database.ask(statement(`inspect_${what}`, sql), params);
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === SQL_STATE.undefinedTable || state === SQL_STATE.undefinedSchema) return [];
      throw this.explained(error);
    }
  }

  private async ask(what: string, sql: string, params: readonly Param[] = []): Promise<readonly Row[]> {
    try {
      return await this.database.ask(statement(`inspect_${what}`, sql), params);
    } catch (error) {
      throw this.explained(error);
    }
  }

  private explained(error: unknown): MississippiError {
    return asConnectError(error, () => `grant SELECT on the tables in the schema ${this.schema} to it.`);
  }
}

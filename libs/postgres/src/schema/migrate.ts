import { StoreAccessError } from '@mississippi/core';
import type { Database } from '../database/database.interface.js';
import { SQL_STATE, sqlStateOf } from '../errors/sql-states.js';
import { quoted, statement } from '../statements/statement.js';
import { createSchema, stepsFrom, TABLES_VERSION } from './tables.js';

/** What the tables in a database say of themselves. */
interface Found {
  readonly number: number;
  readonly oldest: number;
}

const NOTHING: Found = { number: 0, oldest: 0 };

/** One number for all schemas: to make tables in two at once is rare enough. */
const MIGRATION_LOCK = 5_577_006_791_947_779;

/**
 * Makes the tables or upgrades them, one process at a time. Those that are as they should be are left alone, so that no right to make
 * any is needed.
 * @throws {StoreAccessError}
 */
export async function prepareTables(database: Database, schema: string, migrate: boolean): Promise<void> {
  const found = await foundIn(database, schema);
  check(found, schema);
  if (found.number >= TABLES_VERSION) return;
  if (!migrate) throw missing(found, schema);
  await database.inTransaction(async (ask) => {
    await ask(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    const [there] = await ask(
      `SELECT to_regnamespace('${quoted(schema)}') IS NOT NULL, to_regclass('${quoted(schema)}.version') IS NOT NULL`,
    );
    const [hasSchema, hasTables] = there!;
    // Whoever may not create a schema may not even say so where there is one.
    if (hasSchema !== true) await ask(createSchema(schema));
    const now = hasTables === true ? foundBy(await ask(versionQuery(schema))) : NOTHING;
    check(now, schema);
    for (const step of stepsFrom(now.number, schema)) await ask(step);
  });
}

async function foundIn(database: Database, schema: string): Promise<Found> {
  try {
    return foundBy(await database.ask(statement('version', versionQuery(schema)), []));
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === SQL_STATE.undefinedTable || state === SQL_STATE.undefinedSchema) return NOTHING;
    throw error;
  }
}

function versionQuery(schema: string): string {
  return `SELECT number, oldest FROM ${quoted(schema)}.version`;
}

function foundBy(rows: readonly (readonly unknown[])[]): Found {
  const [row] = rows;
  return row === undefined ? NOTHING : { number: Number(row[0]), oldest: Number(row[1]) };
}

/** @throws {StoreAccessError} for tables that a newer release has made, and that this one would damage */
export function check({ number, oldest }: Found, schema: string): void {
  if (oldest <= TABLES_VERSION) return;
  throw new StoreAccessError(
    'version',
    `The tables in the schema ${schema} have version ${number}, and need a release that knows version ${oldest}; this one knows ${TABLES_VERSION}: ` +
      `upgrade @mississippi/postgres.`,
  );
}

function missing({ number }: Found, schema: string): StoreAccessError {
  return new StoreAccessError(
    'configuration',
    `The tables in the schema ${schema} have version ${number} (0: there are none), and ${TABLES_VERSION} is needed: ` +
      `run what postgresDdl({ schema: '${schema}', fromVersion: ${number} }) of @mississippi/postgres gives, or leave migrate out.`,
  );
}

import { StoreAccessError } from '@mississippi/core';
import type { Database } from '../database/database.interface.js';
import { statement } from '../statements/statement.js';
import { grants, RIGHTS } from './tables.js';

const TABLES = 'version|instances|shards|owners|states|inbox(_[0-7]|_parts)?|outbox|enqueued|audit';

/**
 * Looks whether the app's role has every right on the tables that are there, so that the first pruning, hours later, is not what finds
 * out.
 * @returns the role
 * @throws {StoreAccessError} with the statements that grant them
 */
export async function checkRights(database: Database, schema: string): Promise<string> {
  const [[role, lacking] = []] = await database.ask(statement('rights', question(schema)), []);
  if (lacking === null) return String(role);
  const statements = [...grants(schema, String(role)), ''].join(';\n');
  throw new StoreAccessError(
    'permission',
    `The role ${String(role)} lacks rights in the schema ${schema} (${String(lacking)}): let the owner of the tables run\n${statements}`,
  );
}

function question(schema: string): string {
  const name = `'${schema.replaceAll("'", "''")}'`;
  const rights = RIGHTS.map((right) => `('${right}')`).join(', ');
  return `SELECT current_user::text, string_agg(DISTINCT lacks, ', ') FROM (
  SELECT CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE' WHEN NOT has_table_privilege(c.oid, r.name) THEN r.name END AS lacks
  FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid, (VALUES ${rights}) r (name)
  WHERE (c.relname <> 'audit' OR r.name IN ('SELECT', 'INSERT')) AND n.nspname = ${name} AND c.relkind IN ('r', 'p') AND c.relname ~ '^(${TABLES})$'
  AND EXISTS (SELECT FROM pg_class v WHERE v.relnamespace = n.oid AND v.relname = 'version')
) rights`;
}

import { checkOptions } from '../options/check-options.js';
import { PostgresDdlOptions } from '../options/postgres.options.js';
import { appendOnly, createSchema, grants, stepsFrom } from './tables.js';

/**
 * The statements that make the tables, for a database in which the app's role may create none: run them as another role before
 * the app starts. Before an upgrade that changes tables, the release notes name `fromVersion`.
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function postgresDdl(options: PostgresDdlOptions = {}): string {
  const { schema = 'mississippi', role, fromVersion = 0 } = checkOptions('postgresDdl', PostgresDdlOptions, options);
  const statements = [
    ...(fromVersion === 0 ? [createSchema(schema)] : []),
    ...stepsFrom(fromVersion, schema),
    ...(role === undefined ? [] : [...grants(schema, role), appendOnly(schema, role)]),
  ];
  return ['BEGIN', ...statements, 'COMMIT', ''].join(';\n');
}

import { StoreAccessError } from '@mississippi/core';
import type { LoggerService } from '@nestjs/common';
import type { Database } from '../database/database.interface.js';
import { statement } from '../statements/statement.js';

/** As `server_version_num` counts. */
const OLDEST_SERVER = 130_000;

const QUESTION = statement(
  'server',
  `SELECT current_setting('server_version_num')::int4, current_setting('server_version'), current_setting('synchronous_commit')`,
);

/**
 * Looks whether the server can be used, and tells of settings that take back what a commit promises.
 * @throws {StoreAccessError}
 */
export async function checkServer(database: Database, logger: LoggerService): Promise<void> {
  const [[number, version, synchronous] = []] = await database.ask(QUESTION, []);
  checkVersion(Number(number), String(version));
  if (synchronous !== 'off') return;
  logger.warn(
    'PostgreSQL runs with synchronous_commit = off: a commit that it confirmed is lost when the server crashes, and what follows from it is not. Set it to on.',
  );
}

/** @throws {StoreAccessError} */
export function checkVersion(number: number, version: string): void {
  if (number >= OLDEST_SERVER) return;
  throw new StoreAccessError('version', `The server is PostgreSQL ${version}, and 13 or newer is needed: upgrade it.`);
}

import type { PostgresHost } from './postgres-server.js';
import { aptInstall, canAptInstall, succeeds } from '#support/broker.js';

/** Give the url of a database here and the tests use it instead of starting a server. */
export const GIVEN_URL = 'MISSISSIPPI_POSTGRES_URL';
/** Where the setup hands the server on to the specs. */
const SHARED_URL = 'MISSISSIPPI_TEST_POSTGRES_URL';

/** How servers are found and started. */
export interface Starters {
  readonly isInstalled: () => boolean;
  readonly installed: () => Promise<PostgresHost>;
  readonly container: () => Promise<PostgresHost>;
}

/** The server that all specs share, each in a schema of its own. */
export function sharedPostgres(): string {
  const url = process.env[SHARED_URL];
  if (url === undefined)
    throw new Error('There is no PostgreSQL: run these tests with jest --selectProjects postgres.');
  return url;
}

/** Brings up the shared server. Returns what ends it. */
export async function bringUp(start: Starters, say: (line: string) => void): Promise<PostgresHost | undefined> {
  const given = process.env[GIVEN_URL];
  if (given !== undefined && given !== '') {
    process.env[SHARED_URL] = given;
    return undefined;
  }
  const server = await startHere(start, say);
  process.env[SHARED_URL] = server.url;
  return server;
}

async function startHere(start: Starters, say: (line: string) => void): Promise<PostgresHost> {
  if (start.isInstalled()) return start.installed();
  if (succeeds('docker', 'info')) return start.container();
  const how =
    `install PostgreSQL (apt-get install postgresql, brew install postgresql), start Docker, ` +
    `or give the url of a database in ${GIVEN_URL}`;
  if (!canAptInstall()) throw new Error(`These tests need a PostgreSQL, and there is none: ${how}.`);
  say('Installing postgresql with apt-get for the tests; its system service is not started.');
  aptInstall('postgresql', how);
  return start.installed();
}

// Jest loads this file as CommonJS and does not look for './x.ts' where './x.js' is asked for.
import postgres = require('./postgres');
import server = require('./postgres-server');

let shared: server.PostgresHost | undefined;

/** Runs once, before all specs of the project. */
export default async function setUp(): Promise<void> {
  const starters = {
    isInstalled: server.hasPostgres,
    installed: () => server.PostgresServer.start(),
    container: () => server.PostgresContainer.start(),
  };
  shared = await postgres.bringUp(starters, (line) => console.log(line));
}

export async function tearDown(): Promise<void> {
  await shared?.stop();
  shared = undefined;
}

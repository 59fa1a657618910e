import 'reflect-metadata';
import { backendsOf, type Places } from './app/backends.js';
import { createApp, HOST } from './app/create-app.js';

/** The process that serves. Its places are in the environment, as JSON; whoever started it is told its url, and it ends with them. */
const places = JSON.parse(process.env['LEDGER_PLACES'] ?? '{"name":"ledger","folder":".data/ledger"}') as Places;

try {
  const app = await createApp(backendsOf(places));
  await app.listen(Number(process.env['LEDGER_PORT'] ?? 0), HOST);
  app.flushLogs();
  const url = await app.getUrl();
  if (process.send === undefined) process.stdout.write(`The ledger is at ${url}\n`);
  else process.send({ url });
  process.once('disconnect', () => process.exit());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

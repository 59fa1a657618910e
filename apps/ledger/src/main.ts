import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { NoServerError } from '@mississippi/servers';
import { demonstrate } from './hammer/demonstration.js';
import { progressOf } from './hammer/progress.js';
import { summary, verdict } from './hammer/report.js';
import { WorkerProcess } from './hammer/worker-process.js';
import { type LedgerOptions, parseOptions } from './options.js';
import { openPlaces } from './places.js';
import { USAGE, UsageError } from './usage.js';

/** As shells count a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Tells the status to end with: 0 if every promise was kept. */
async function run(options: LedgerOptions): Promise<number> {
  const { places, description, close } = await openPlaces(options);
  const worker = new WorkerProcess(places);
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => INTERRUPTED);
  try {
    print(`${description}\nStarting the ledger.`);
    return await Promise.race([interrupted, hammer(options, worker)]);
  } finally {
    await worker.kill();
    await close();
  }
}

async function hammer(options: LedgerOptions, worker: WorkerProcess): Promise<number> {
  await worker.start();
  const plan = { ...options, run: randomBytes(3).toString('hex'), random: Math.random };
  const { run, verification } = await demonstrate(plan, worker, progressOf(options.transfers, process.stdout));
  await worker.stop();
  print(`\n${summary(run, verification)}\n\n${verdict(run, verification)}`);
  return verification.faults.length === 0 ? 0 : 1;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) print(USAGE);
  // What goes on after an interruption goes on no longer.
  else process.exit(await run(options));
} catch (error) {
  const usage = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n${usage ? `\n${USAGE}\n` : ''}`);
  process.exit(usage || error instanceof NoServerError ? 2 : 1);
}

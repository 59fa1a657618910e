import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from '#support/postgres-server.js';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { figures } from './figures/figures.js';
import type { Figure } from './figures/names.js';
import { runMutant, type Failure } from './mutant-runs.js';
import { MUTANTS } from './mutants/mutants.js';
import { STORE_MUTANTS } from './mutants/store-mutants.js';
import { startNode } from './node.js';
import { parseOptions, USAGE, UsageError, type ChaosOptions } from './options.js';
import { Progress } from './progress.js';
import { embeddedReportOf, reportOf, storeReportOf, unseenOf } from './report.js';
import { run, runWithStore } from './run.js';
import { runStoreMutant } from './store-mutant-runs.js';
import { Database } from './store/database.js';
import { runEmbedded } from './store/embedded-run.js';
import { broken } from './store/store-side.js';

/** Breaks things and reports. Tells whether every promise held. */
async function chaos(node: RabbitMqNode, folder: string, options: ChaosOptions): Promise<boolean> {
  const progress = new Progress(process.stdout);
  try {
    const result = await run(node, join(folder, `seed-${options.seed}`), options, progress);
    progress.stop();
    print(reportOf(result));
    return result.verdict.violations.length === 0 && unseenOf(result).length === 0;
  } finally {
    progress.stop();
  }
}

/** The same with a store. */
async function chaosWithStore(node: RabbitMqNode, folder: string, options: ChaosOptions): Promise<boolean> {
  const server = await PostgresServer.start({ settings: { fsync: 'off' } });
  try {
    return await (options.mutants || options.mutant !== undefined
      ? everyStoreMutant(node, server, folder, options)
      : brokenStore(node, server, folder, options));
  } finally {
    await server.stop();
  }
}

async function brokenStore(
  node: RabbitMqNode,
  server: PostgresServer,
  folder: string,
  options: ChaosOptions,
): Promise<boolean> {
  const progress = new Progress(process.stdout);
  const database = await Database.create(server, 'chaos');
  try {
    const result = await runWithStore(node, database, join(folder, `seed-${options.seed}`), options, progress);
    progress.stop();
    print(storeReportOf(result));
    return broken(result.findings).length === 0 && unseenOf(result).length === 0;
  } finally {
    progress.stop();
    await database.close();
  }
}

function everyStoreMutant(
  node: RabbitMqNode,
  server: PostgresServer,
  folder: string,
  options: ChaosOptions,
): Promise<boolean> {
  const names = options.mutant === undefined ? STORE_MUTANTS.map(({ name }) => name) : [options.mutant];
  return each(names, (name) => runStoreMutant(node, server, folder, options, name));
}

/** Embedded, without a broker. */
async function chaosEmbedded(folder: string, options: ChaosOptions): Promise<boolean> {
  const progress = new Progress(process.stdout);
  try {
    const result = await runEmbedded(join(folder, `seed-${options.seed}`), options, progress);
    progress.stop();
    print(embeddedReportOf(result));
    return broken(result.findings).length === 0;
  } finally {
    progress.stop();
  }
}

function everyMutant(
  node: RabbitMqNode,
  folder: string,
  options: ChaosOptions,
  names: readonly string[],
): Promise<boolean> {
  return each(names, (name) => runMutant(node, folder, options, name));
}

/** Whether every mutant was caught. */
async function each(
  names: readonly string[],
  runOne: (name: string) => Promise<Failure | undefined>,
): Promise<boolean> {
  const missed: string[] = [];
  for (const name of names) {
    const why = await runOne(name);
    if (why !== undefined) missed.push(`${name} ${why}`);
  }
  print(missed.length === 0 ? `All of ${names.length} struck and were caught.` : `${missed.join('; ')}.`);
  return missed.length === 0;
}

async function measured(
  node: RabbitMqNode,
  folder: string,
  options: ChaosOptions,
  chosen: readonly Figure[],
): Promise<true> {
  await figures(node, folder, options, chosen, print);
  return true;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'mississippi-chaos-'));
  const node = options.embedded ? undefined : await startNode(options.consumerTimeout);
  // What ends the node keeps no event loop alive.
  const alive = setInterval(() => undefined, 1_000);
  let good = false;
  try {
    if (node === undefined) good = await chaosEmbedded(folder, options);
    else if (options.store) good = await chaosWithStore(node, folder, options);
    else if (options.mutants || options.mutant !== undefined) {
      const names = options.mutant === undefined ? MUTANTS.map(({ name }) => name) : [options.mutant];
      good = await everyMutant(node, folder, options, names);
    } else if (options.figures !== undefined) good = await measured(node, folder, options, options.figures);
    else good = await chaos(node, folder, options);
  } finally {
    await node?.stop();
    clearInterval(alive);
    if (good) rmSync(folder, { recursive: true, force: true });
    else print(`Histories and logs: ${folder}`);
  }
  process.exitCode = good ? 0 : 1;
}

try {
  await main();
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(
    `${usage ? `${error.message}\n\n${USAGE}` : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = usage ? 2 : 1;
}
// With processes that were killed, Node's own end may wait for ever for what it once sent them (20.20: uv_run within
// CleanupHandles). Everything here is closed and printed; standard output is written at once on Linux and macOS.
process.exit();

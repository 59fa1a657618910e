import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { figures } from './figures/figures.js';
import type { Figure } from './figures/names.js';
import { runMutant } from './mutant-runs.js';
import { MUTANTS } from './mutants/mutants.js';
import { startNode } from './node.js';
import { parseOptions, USAGE, UsageError, type ChaosOptions } from './options.js';
import { Progress } from './progress.js';
import { reportOf, unseenOf } from './report.js';
import { run } from './run.js';

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

async function everyMutant(
  node: RabbitMqNode,
  folder: string,
  options: ChaosOptions,
  names: readonly string[],
): Promise<boolean> {
  const missed: string[] = [];
  for (const name of names) {
    const why = await runMutant(node, folder, options, name);
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
  const node = await startNode(options.consumerTimeout);
  // What ends the node keeps no event loop alive.
  const alive = setInterval(() => undefined, 1_000);
  let good = false;
  try {
    if (options.mutants || options.mutant !== undefined) {
      const names = options.mutant === undefined ? MUTANTS.map(({ name }) => name) : [options.mutant];
      good = await everyMutant(node, folder, options, names);
    } else if (options.figures !== undefined) good = await measured(node, folder, options, options.figures);
    else good = await chaos(node, folder, options);
  } finally {
    await node.stop();
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

import { join } from 'node:path';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { mutantNamed, type Mutant } from './mutants.js';
import { Progress } from './progress.js';
import { reportOf } from './report.js';
import { run, type RunOptions } from './run.js';

/** A run that is short and dense, so that a fault of the library has the best chance to show. */
function dense(options: RunOptions, mutant: Mutant): RunOptions {
  return {
    ...options,
    minutes: 0.3,
    processes: 3,
    keys: 20,
    shards: 6,
    rate: 250,
    heartbeat: 1,
    shortest: 300,
    longest: 1_200,
    standstill: 6_000,
    mutant: mutant.name,
    actions: mutant.actions,
    ...mutant.options,
  };
}

/** Schedules that a mutant may survive: whether its fault can strike depends on what runs when something breaks. */
const SCHEDULES = 3;

/** Runs one mutant, under one schedule after the other until it is caught. Tells whether it was. */
export async function runMutant(
  node: RabbitMqNode,
  folder: string,
  options: RunOptions,
  name: string,
): Promise<boolean> {
  const mutant = mutantNamed(name);
  for (let turn = 0; turn < SCHEDULES; turn++) {
    const seed = options.seed + turn;
    if (await isCaught(node, join(folder, `${name}-${seed}`), { ...options, seed }, mutant)) return true;
  }
  return false;
}

async function isCaught(node: RabbitMqNode, folder: string, options: RunOptions, mutant: Mutant): Promise<boolean> {
  const progress = new Progress(process.stdout);
  try {
    const result = await run(node, folder, dense(options, mutant), progress);
    const seen = mutant.breaks.filter((promise) =>
      result.verdict.violations.some((violation) => violation.promise === promise),
    );
    progress.stop();
    process.stdout.write(`${reportOf(result)}\n\n`);
    process.stdout.write(
      `${mutant.name} (${mutant.fault}), seed ${options.seed}: ${seen.length > 0 ? `caught by ${seen.join(', ')}` : 'NOT CAUGHT'}\n`,
    );
    return seen.length > 0;
  } finally {
    progress.stop();
  }
}

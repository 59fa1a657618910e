import { join } from 'node:path';
import type { Promised } from '@mississippi/history';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import type { Mutant } from './mutants/mutant.js';
import { mutantNamed } from './mutants/mutants.js';
import { startNode } from './node.js';
import { Progress } from './progress.js';
import { reportOf } from './report.js';
import { run, type RunOptions } from './run.js';

/** A run that is short and dense, so that a fault of the library has the best chance to show. */
export function dense(options: RunOptions, mutant: Pick<Mutant, 'name' | 'actions' | 'options'>): RunOptions {
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
    seed: options.seed,
  };
}

/** Schedules that a mutant may survive: whether its fault can strike depends on what runs when something breaks. */
export const SCHEDULES = 5;

/** What is left says nothing where a run was cut short. */
const OF_THE_END: ReadonlySet<Promised> = new Set(['lost', 'unsettled', 'stuck', 'neverEnded', 'signalUnanswered']);

export interface MutantOptions extends RunOptions {
  /** Ends each run as soon as the fault seems to show. */
  readonly short: boolean;
}

export type Failure = 'not caught' | 'planted nothing';

/**
 * Runs one mutant, under one schedule after the other until it is caught. Tells why it was not, if it was not.
 * @param node a broker that is as the options say; a mutant that needs another one gets it
 */
export async function runMutant(
  node: RabbitMqNode,
  folder: string,
  options: MutantOptions,
  name: string,
): Promise<Failure | undefined> {
  const mutant = mutantNamed(name);
  const { consumerTimeout } = mutant.options ?? {};
  if (consumerTimeout === undefined) return underSchedules(node, folder, options, mutant);
  const own = await startNode(consumerTimeout);
  try {
    return await underSchedules(own, folder, options, mutant);
  } finally {
    await own.stop();
  }
}

async function underSchedules(
  node: RabbitMqNode,
  folder: string,
  options: MutantOptions,
  mutant: Mutant,
): Promise<Failure | undefined> {
  let strikes = 0;
  for (let tried = 0; tried < SCHEDULES; tried++) {
    const seed = (mutant.options?.seed ?? options.seed) + tried;
    const shown = await show(node, join(folder, `${mutant.name}-${seed}`), { ...options, seed }, mutant);
    if (shown.seen.length > 0 && shown.strikes > 0) return undefined;
    strikes += shown.strikes;
  }
  return strikes > 0 ? 'not caught' : 'planted nothing';
}

async function show(
  node: RabbitMqNode,
  folder: string,
  options: MutantOptions,
  mutant: Mutant,
): Promise<{ seen: Promised[]; strikes: number }> {
  const progress = new Progress(process.stdout);
  try {
    const { short, ...rest } = options;
    const begun = performance.now();
    const result = await run(
      node,
      folder,
      { ...dense(rest, mutant), ...(short ? { until: mutant.breaks } : {}) },
      progress,
    );
    progress.stop();
    const { verdict, cutShort } = result;
    const broken = new Set(verdict.violations.map(({ promise }) => promise));
    const seen = mutant.breaks.filter((promise) => broken.has(promise) && !(cutShort && OF_THE_END.has(promise)));
    if (!cutShort) process.stdout.write(`${reportOf(result)}\n\n`);
    const caught = seen.length > 0 ? `caught by ${seen.join(', ')}` : 'NOT CAUGHT';
    const seconds = Math.round((performance.now() - begun) / 1_000);
    const struck = verdict.strikes > 0 ? `struck ${verdict.strikes} times` : 'PLANTED NOTHING';
    process.stdout.write(
      `${mutant.name} (${mutant.fault}), seed ${options.seed}: ${struck}, ${caught} after ${seconds} s\n`,
    );
    return { seen, strikes: verdict.strikes };
  } finally {
    progress.stop();
  }
}

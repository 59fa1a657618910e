import { join } from 'node:path';
import type { PostgresServer } from '#support/postgres-server.js';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { dense, SCHEDULES, type Failure } from './mutant-runs.js';
import type { StoreMutant } from './mutants/store-mutants.js';
import { storeMutantNamed } from './mutants/mutants.js';
import { Progress } from './progress.js';
import { storeReportOf } from './report.js';
import { runWithStore, type RunOptions } from './run.js';
import { Database } from './store/database.js';

/** As {@link runMutant} does, with a store. */
export async function runStoreMutant(
  node: RabbitMqNode,
  server: PostgresServer,
  folder: string,
  options: RunOptions,
  name: string,
): Promise<Failure | undefined> {
  const mutant = storeMutantNamed(name);
  let strikes = 0;
  for (let tried = 0; tried < SCHEDULES; tried++) {
    const seed = options.seed + tried;
    const database = await Database.create(server, `mutant_${name.replaceAll('-', '_')}_${seed}`);
    try {
      const shown = await show(node, database, join(folder, `${name}-${seed}`), { ...options, seed }, mutant);
      if (shown.caught && shown.strikes > 0) return undefined;
      strikes += shown.strikes;
    } finally {
      await database.close();
    }
  }
  return strikes > 0 ? 'not caught' : 'planted nothing';
}

async function show(
  node: RabbitMqNode,
  database: Database,
  folder: string,
  options: RunOptions,
  mutant: StoreMutant,
): Promise<{ readonly caught: boolean; readonly strikes: number }> {
  const progress = new Progress(process.stdout);
  try {
    const { name, fault, actions, breaks } = mutant;
    const result = await runWithStore(
      node,
      database,
      folder,
      dense(options, { name, actions, options: { rate: 150 } }),
      progress,
    );
    progress.stop();
    const seen = breaks.filter((promise) => result.findings[promise].length > 0);
    const caught = seen.length > 0 ? `caught by ${seen.join(', ')}` : 'NOT CAUGHT';
    const struck = result.strikes > 0 ? `struck ${result.strikes} times` : 'PLANTED NOTHING';
    process.stdout.write(
      `${storeReportOf(result)}\n\n${name} (${fault}), seed ${options.seed}: ${struck}, ${caught}\n`,
    );
    return { caught: seen.length > 0, strikes: result.strikes };
  } finally {
    progress.stop();
  }
}

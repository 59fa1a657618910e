import { setTimeout as sleep } from 'node:timers/promises';
import { clock } from './clock.js';
import type { Fleet } from './fleet.js';
import type { Stage } from './stage.js';
import type { WorkerProcess } from './worker-process.js';

/** What happened until processes that started had their shares. */
export interface Settling {
  /** Milliseconds until every shard had an owner, and until shares were level; `null`: they did not become level. */
  readonly served: number;
  readonly level: number | null;
  /** Shards that were taken, and those of them that their owner had never had before. */
  readonly taken: number;
  readonly first: number;
  /** Claims that the broker refused, by its log; and errors for which it closed a channel, by its own count. */
  readonly refused: number;
  readonly errors: number;
  /** How long each shard rested that was handed over. Milliseconds. */
  readonly pauses: readonly number[];
  /** Shards of each process at the end. */
  readonly shares: readonly number[];
}

/** For how long shards may still move when shares are level. Milliseconds. */
const AFTER = 500;

/** Starts processes, all at once, and watches until shards are at rest. */
export async function settling({ broker }: Stage, fleet: Fleet, workers: readonly WorkerProcess[]): Promise<Settling> {
  const before = await broker.counters();
  const from = clock();
  const starting = fleet.start(workers);
  const [served, level] = await Promise.all([fleet.served(), fleet.level(), starting]);
  await sleep(AFTER);
  await fleet.rest();
  const after = await broker.counters();
  const takings = fleet.record.takingsSince(from);
  return {
    served: Math.max(0, served - from), // Of processes that join others every shard has an owner already.
    level: level === undefined ? null : level - from,
    taken: takings.length,
    first: takings.filter(({ first }) => first).length,
    refused: after.refusals - before.refusals,
    errors: after.errors - before.errors,
    pauses: fleet.record.pausesSince(from),
    shares: fleet.shares,
  };
}

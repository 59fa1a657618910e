import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { processCpu } from '../harness/cpu-clock.js';
import { clock } from './clock.js';
import type { Fleet } from './fleet.js';
import { sumOf } from './shares.js';
import { withFleet, type Stage } from './stage.js';
import type { WatchedBroker } from './watched-broker.js';

/** What it costs for a second that processes own shards and nothing else happens. */
export interface RestFigures {
  readonly processes: number;
  readonly shards: number;
  /** Milliseconds of CPU a second: the broker's, that of all processes together, and of the one that has the most. */
  readonly broker: number;
  readonly workers: number;
  readonly busiest: number;
  /** Frames that the broker received, and queues that were declared to it. */
  readonly frames: number;
  readonly declares: number;
  /** Cores that were busy, with whatever ran on the machine. */
  readonly busy: number;
  /** Shards that moved all the same. */
  readonly moved: number;
}

/** Each size: processes join until there are so many. */
export async function rest(stage: Stage): Promise<RestFigures[]> {
  const { settings, say } = stage;
  const figures: RestFigures[] = [await measure(stage, undefined)];
  for (const shards of settings.shards) {
    await withFleet(stage, `rest${shards}_`, { shards }, async (fleet) => {
      for (const processes of settings.processes) {
        say(`at rest: ${processes} processes, ${shards} shards`);
        await fleet.grow(processes);
        await fleet.rest();
        figures.push(await measure(stage, fleet));
      }
    });
  }
  return figures;
}

async function measure({ broker, settings }: Stage, fleet: Fleet | undefined): Promise<RestFigures> {
  const processes = fleet?.running.length ?? 0;
  const before = await broker.counters();
  const from = readingOf(broker, fleet);
  await sleep(settings.seconds * 1_000);
  const to = readingOf(broker, fleet);
  // To ask the broker costs it CPU time, so that it is asked before and after; its counters go by its own clock.
  const after = await broker.counters();
  const seconds = (to.at - from.at) / 1_000;
  const counted = (after.at - before.at) / 1_000;
  const workers = to.workers.map((cpu, index) => cpu - from.workers[index]!);
  return {
    processes,
    shards: fleet?.plan.shards ?? 0,
    broker: (to.broker - from.broker) / seconds,
    workers: sumOf(workers) / seconds,
    busiest: Math.max(0, ...workers) / seconds,
    frames: (after.frames - before.frames) / counted,
    declares: (after.declares - before.declares) / counted,
    busy: (to.machine - from.machine) / 1_000 / seconds,
    moved: fleet?.record.takingsSince(from.at).length ?? 0,
  };
}

/** What has been used so far. Milliseconds of CPU, but for the time. */
function readingOf(broker: WatchedBroker, fleet: Fleet | undefined) {
  const workers = (fleet?.running ?? []).map(({ pid }) => (processCpu(pid) ?? NaN) / 1_000);
  const machine = sumOf(cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq));
  return { at: clock(), broker: broker.cpu, workers, machine };
}

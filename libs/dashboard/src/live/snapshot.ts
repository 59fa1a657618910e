import type { MississippiOperator, ProcessInfo, ShardReport } from '@mississippi/core';
import { wireKey } from '../api/wire-values.js';
import { addressOf } from '../api/key-address.js';
import { wireError } from '../api/errors.js';
import type { Snapshot, WireBusyKey, WireKey, WireShard } from '../wire.js';
import { quantileOf, type Times } from './quantile.js';

/** Over which rates and times are taken. Milliseconds. */
export const OVER = 1_000;
const MOST_STUCK = 50;
const MOST_BUSY = 20;

/** All that the page shows of all processes at a moment. It never rejects: what could not be looked at is among the problems. */
export async function takeSnapshot(operator: MississippiOperator): Promise<Snapshot> {
  const begun = performance.now();
  const problems: string[] = [];
  const orElse =
    <T>(fallback: T) =>
    (error: unknown): T => {
      problems.push(wireError(error).message);
      return fallback;
    };
  const reports = await attempt(() => operator.shards({ over: OVER })).catch(orElse<ShardReport[]>([]));
  const processes = await attempt(() => operator.processes()).catch(orElse<ProcessInfo[]>([]));
  const troubles = troublesOf(reports);
  const stuck = Object.keys(troubles).length === 0 ? [] : await stuckKeys(operator).catch(orElse<WireKey[]>([]));
  problems.push(...troublesOfShards(reports));
  return {
    at: Date.now(),
    took: performance.now() - begun,
    ...sumsOf(reports),
    processes,
    shards: reports.map((report) => wireShard(report, processes)),
    troubles,
    stuck,
    busiest: busiestOf(reports),
    problems,
  };
}

/** What throws before it has a promise is refused as everything else is. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

async function stuckKeys(operator: MississippiOperator): Promise<WireKey[]> {
  const { keys } = await operator.keys({ troubled: true, limit: MOST_STUCK });
  return keys.map(wireKey);
}

function wireShard({ shard, process, backlog, owned }: ShardReport, processes: readonly ProcessInfo[]): WireShard {
  const { epoch, keys, inFlight, parked, stalled, rate, oldest } = owned ?? NOTHING;
  const index = processes.findIndex(({ name }) => name === process);
  return {
    shard,
    process: index,
    backlog,
    answered: owned !== undefined,
    epoch,
    keys,
    inFlight,
    parked,
    stalled,
    rate,
    oldest,
  };
}

const NOTHING = { epoch: 0, keys: 0, inFlight: 0, parked: 0, stalled: false, rate: 0, oldest: undefined };

function sumsOf(reports: readonly ShardReport[]) {
  const sum = (of: (report: ShardReport) => number | undefined) =>
    reports.reduce((total, report) => total + (of(report) ?? 0), 0);
  const times: Times = reports.flatMap(({ owned }) => owned?.times ?? []);
  return {
    rate: sum(({ owned }) => owned?.rate),
    backlog: sum(({ backlog }) => backlog),
    inFlight: sum(({ owned }) => owned?.inFlight),
    parked: sum(({ owned }) => owned?.parked),
    median: quantileOf(times, 0.5),
    slow: quantileOf(times, 0.99),
  };
}

function troublesOf(reports: readonly ShardReport[]): Snapshot['troubles'] {
  const troubles: Record<string, number> = {};
  for (const { owned } of reports) {
    for (const [trouble, count] of Object.entries(owned?.troubles ?? {})) {
      troubles[trouble] = (troubles[trouble] ?? 0) + count;
    }
  }
  return troubles;
}

function busiestOf(reports: readonly ShardReport[]): WireBusyKey[] {
  const all = reports.flatMap(({ shard, owned }) =>
    (owned?.busiest ?? []).map(({ key, text, finished }) => ({ key, text, shard, rate: (finished * 1_000) / OVER })),
  );
  const most = all.sort((a, b) => b.rate - a.rate).slice(0, MOST_BUSY);
  return most.map((busy) => ({ ...busy, key: addressOf(busy.key) }));
}

function troublesOfShards(reports: readonly ShardReport[]): string[] {
  const unowned = reports.filter(({ process }) => process === undefined).map(({ shard }) => shard);
  const stalled = reports.filter(({ owned }) => owned?.stalled === true).map(({ shard }) => shard);
  const silent = reports
    .filter(({ process, owned }) => process !== undefined && owned === undefined)
    .map(({ shard }) => shard);
  return [
    ...told(unowned, (shards) => `No process owns ${shards}: nothing there is handled.`),
    ...told(silent, (shards) => `The owner of ${shards} did not answer.`),
    ...told(
      stalled,
      (shards) =>
        `The side queue of ${shards} is full, and nothing there is handled until the keys that are stuck in it are freed.`,
    ),
  ];
}

function told(shards: readonly number[], text: (shards: string) => string): string[] {
  return shards.length === 0 ? [] : [text(shardsText(shards))];
}

function shardsText(shards: readonly number[]): string {
  const shown = shards.slice(0, 10).join(', ');
  if (shards.length > 10) return `${shards.length} shards (${shown}, …)`;
  return `${shards.length === 1 ? 'shard' : 'shards'} ${shown}`;
}

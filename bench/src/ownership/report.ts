import { number, table } from '../harness/tables.js';
import { quantile } from '../harness/measurement.js';
import type { Settling } from './claims.js';
import { PATIENCE } from './fleet.js';
import { LARGE, type Computed, type Fitted, type OwnershipResults } from './results.js';
import type { RestFigures } from './rest.js';
import type { RollingFigures } from './rolling.js';
import { sumOf } from './shares.js';
import type { StartFigures } from './start.js';
import { STALL_HEARTBEAT, type TakeOver } from './take-over.js';

/** Everything as Markdown. */
export function reportOf(results: OwnershipResults): string {
  const { settings, start, rest, computed, kill, stall, rolling } = results;
  const size = `${settings.processes.at(-1)} processes, ${settings.shards[0]} shards`;
  const takeOvers: [string, readonly TakeOver[]][] = [];
  if (kill !== undefined) takeOvers.push(['SIGKILL', kill]);
  if (stall !== undefined) takeOvers.push([`SIGSTOP, heartbeat ${STALL_HEARTBEAT} s`, stall]);
  return [
    headOf(results),
    ...(rest === undefined ? [] : ['### At rest', restTable(rest)]),
    ...(computed === undefined ? [] : [`### ${sizeOf(LARGE)}, computed`, computedTable(computed)]),
    ...(start === undefined
      ? []
      : [`### Starting and joining, ${size}`, startTable(start, settings.processes.at(-1)!)]),
    ...(takeOvers.length === 0 ? [] : [`### Taking over, ${size}`, takeOverTable(takeOvers)]),
    ...(rolling === undefined ? [] : [`### Rolling restart, ${size}`, rollingTable(rolling)]),
  ].join('\n\n');
}

function headOf({ date, load, machine, versions, settings, seconds }: OwnershipResults): string {
  const on = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const niceness = settings.nice === undefined ? '' : `, nice ${settings.nice}`;
  const type = settings.quorum ? 'quorum' : 'classic';
  return `${date}, ${machine.cores} cores, load ${load} before, ${seconds} s in all${niceness}; ${on.join(', ')}, ${type} queues.`;
}

function restTable(rest: readonly RestFigures[]): string {
  const head = [
    'processes × shards',
    'broker, CPU ms/s',
    'frames/s',
    'declares/s',
    'a process, CPU ms/s',
    'the busiest',
    'busy cores',
    'moved',
  ];
  const rows = rest.map(({ processes, shards, broker, workers, busiest, frames, declares, busy, moved }) => [
    processes === 0 ? 'none' : `${processes} × ${shards}`,
    number(broker, 1),
    number(frames, 0),
    number(declares, 0),
    ...(processes === 0 ? ['–', '–'] : [number(workers / processes, 1), number(busiest, 1)]),
    number(busy, 2),
    String(moved),
  ]);
  return table(head, rows);
}

function computedTable(computed: Computed): string {
  const head = ['a second', LARGE_SIZE, 'each process', 'each shard', 'each shard of others', 'largest deviation'];
  const names = { broker: 'broker, CPU ms', workers: 'all processes, CPU ms', frames: 'frames', declares: 'declares' };
  const rows = Object.entries(computed).map(([part, { value, process, shard, foreignShard, deviation }]) => [
    names[part as Fitted],
    number(value, 0),
    number(process, 3),
    number(shard, 3),
    number(foreignShard, 4),
    `${number(deviation * 100, 0)} %`,
  ]);
  return table(head, rows);
}

const LARGE_SIZE = sizeOf(LARGE);

function sizeOf({ processes, shards }: typeof LARGE): string {
  return `${processes} × ${number(shards, 0)}`;
}

function startTable({ alone, together, joins }: StartFigures, processes: number): string {
  const head = [
    '',
    'all served, ms',
    'level, ms',
    'taken',
    'needed',
    'refused',
    'refused in vain',
    'other errors',
    'pause, median … most, ms',
  ];
  // Whoever is alone is refused only what it asks for to be refused.
  const checks = alone.refused / alone.first;
  const row = (name: string, settling: Settling, needed: number): string[] => [
    name,
    settling.served === 0 ? '–' : number(settling.served, 0),
    settling.level === null ? `over ${number(PATIENCE, 0)}` : number(settling.level, 0),
    String(settling.taken),
    String(needed),
    String(settling.refused),
    number(settling.refused - checks * settling.first, 0),
    String(settling.errors - settling.refused),
    pausesText(settling.pauses),
  ];
  const shards = sumOf(alone.shares);
  return table(head, [
    row('1 alone', alone, shards),
    ...together.map((settling) => row(`${processes} at once`, settling, shards)),
    ...joins.map((join) => row('1 more joins', join, join.needed)),
  ]);
}

function takeOverTable(all: readonly [string, readonly TakeOver[]][]): string {
  const head = ['', 'shards', 'median, ms', 'p99, ms', 'most, ms', 'all of a process: median, ms'];
  const rows = all.map(([name, takeOvers]) => {
    const waits = takeOvers.flat();
    const at = (share: number): string => number(quantile(waits, share), 0);
    const whole = takeOvers.map((waits) => Math.max(...waits));
    return [
      `${name}, ${takeOvers.length} times`,
      String(waits.length),
      at(0.5),
      at(0.99),
      at(1),
      number(quantile(whole, 0.5), 0),
    ];
  });
  return table(head, rows);
}

function rollingTable({ handOvers, pauses, seconds, shares }: RollingFigures): string {
  const head = [
    'seconds',
    'hand-overs of a shard: median',
    'most',
    'all',
    'pause, median … most, ms',
    'shares at the end',
  ];
  return table(head, [
    [
      number(seconds, 0),
      number(quantile(handOvers, 0.5), 0),
      String(Math.max(...handOvers)),
      String(sumOf(handOvers)),
      pausesText(pauses),
      spread(shares),
    ],
  ]);
}

function pausesText(pauses: readonly number[]): string {
  return pauses.length === 0 ? '–' : `${number(quantile(pauses, 0.5), 0)} … ${number(Math.max(...pauses), 0)}`;
}

function spread(shares: readonly number[]): string {
  return `${Math.min(...shares)} … ${Math.max(...shares)}`;
}

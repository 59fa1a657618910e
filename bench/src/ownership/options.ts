import { parseArgs } from 'node:util';
import { UsageError } from '../options.js';
import type { Settings } from './settings.js';

/** What can be measured, in this order. */
export const SCENES = ['start', 'rest', 'kill', 'stall', 'rolling'] as const;

export type Scene = (typeof SCENES)[number];

export interface OwnershipOptions extends Settings {
  readonly help: boolean;
  readonly only: readonly Scene[];
  readonly out: string | undefined;
}

export const USAGE = `Usage: npm run bench:ownership -- [options]

Measures what it costs, and how long it takes, that processes share the shards on RabbitMQ; on a node of its own.

  --only <scene,...>     of ${SCENES.join(', ')} (default all)
  --processes <n,...>    sizes for rest, ascending; the other scenes have the last (default 2,10,20)
  --shards <n,...>       the same; the other scenes have the first (default 128,256)
  --quorum               quorum queues instead of classic ones
  --nice=<n>             nice value of the broker and the processes once they are loaded: below zero, as root, they hardly
                         wait for what else runs on the machine
  --seconds <n>          how long each size is measured at rest (default 20)
  --rounds <n>           how often all start at once, and one joins (default 3)
  --kills <n>            (default 10)
  --stalls <n>           (default 3)
  --out <file>           also writes everything as JSON, after each scene
  --help                 prints this`;

export function parseOptions(args: readonly string[]): OwnershipOptions {
  const values = parse(args);
  const processes = sizes('--processes', values.processes);
  if (processes.at(-1)! < 2) throw new UsageError('--processes must end with 2 at least: one alone shares nothing.');
  return {
    help: values.help,
    only: values.only === undefined ? SCENES : values.only.split(',').map(scene),
    out: values.out,
    processes,
    shards: sizes('--shards', values.shards),
    quorum: values.quorum,
    ...(values.nice === undefined ? {} : { nice: niceValue(values.nice) }),
    seconds: whole('--seconds', values.seconds),
    rounds: whole('--rounds', values.rounds),
    kills: whole('--kills', values.kills),
    stalls: whole('--stalls', values.stalls),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        out: { type: 'string' },
        processes: { type: 'string', default: '2,10,20' },
        shards: { type: 'string', default: '128,256' },
        quorum: { type: 'boolean', default: false },
        nice: { type: 'string' },
        seconds: { type: 'string', default: '20' },
        rounds: { type: 'string', default: '3' },
        kills: { type: 'string', default: '10' },
        stalls: { type: 'string', default: '3' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function scene(name: string): Scene {
  const found = SCENES.find((scene) => scene === name);
  if (found === undefined) throw new UsageError(`--only knows ${SCENES.join(', ')}, not '${name}'.`);
  return found;
}

function sizes(option: string, text: string): number[] {
  const all = text.split(',').map((size) => whole(option, size));
  if (all.some((size, index) => index > 0 && size <= all[index - 1]!))
    throw new UsageError(`${option} must ascend, unlike '${text}'.`);
  return all;
}

function niceValue(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= -20 && number < 20) return number;
  throw new UsageError(`--nice must be a whole number from -20 to 19, not '${text}'.`);
}

function whole(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new UsageError(`${option} must be a whole number above 0, not '${text}'.`);
}

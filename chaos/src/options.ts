import { parseArgs } from 'node:util';
import { FIGURES, type Figure } from './figures/names.js';
import type { RunOptions } from './run.js';
import { ACTIONS, STORE_ACTIONS, type Action } from './schedule.js';

export interface ChaosOptions extends RunOptions {
  /** With states in a database. */
  readonly store: boolean;
  /** In a folder, by one process at a time and without a broker. */
  readonly embedded: boolean;
  readonly help: boolean;
  /** Run every mutant instead, and fail where one is not caught. */
  readonly mutants: boolean;
  /** Each of them only until its fault seems to show. */
  readonly short: boolean;
  /** Measure these instead. */
  readonly figures: readonly Figure[] | undefined;
}

export const USAGE = `Usage: npm run chaos -- [options]

Breaks processes, connections and the broker by a seeded schedule, then checks every promise over the whole history.

  --minutes <n>        how long things break (default 2)
  --processes <n>      worker processes (default 3)
  --seed <n>           fixes the schedule and the messages (default 1)
  --queues <type>      classic (default) or quorum
  --shards <n>         default 12
  --keys <n>           default 40
  --publishers <n>     publisher processes; each has its share of the keys and of the rate (default 2)
  --rate <n>           messages per second (default 200)
  --heartbeat <s>      default 2
  --prefetch <n>       default 20
  --consumer-timeout <s>  after how long the broker takes back what is not acked (its default is half an hour)
  --actions <a,b>      only these: ${ACTIONS.join(', ')}
  --interval <a,b>     shortest and longest wait between faults in ms (default 1000,3500)
  --store              keeps states in a PostgreSQL, which breaks too
  --embedded           keeps messages and states in a folder, one process at a time; breaks nothing but that
  --mutant <name>      puts a fault into the workers; the run succeeds if it is caught
  --mutants            runs every mutant; fails if one is not caught, or its fault never struck
  --short              ends the run of a mutant as soon as its fault shows
  --figures [<a,b>]    measures instead: ${FIGURES.join(', ')} (default all)
  --help               print this`;

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function parseOptions(args: readonly string[]): ChaosOptions {
  const values = parse(args);
  const [shortest, longest] = values.interval.split(',').map((text) => positive('--interval', text));
  if (values.queues !== 'classic' && values.queues !== 'quorum')
    throw new UsageError('--queues must be classic or quorum.');
  const keys = whole('--keys', values.keys);
  const publishers = whole('--publishers', values.publishers);
  if (publishers > keys) throw new UsageError('--publishers must not exceed --keys: each needs a key of its own.');
  return {
    help: values.help,
    mutants: values.mutants,
    short: values.short,
    figures: values.figures === undefined ? undefined : chosen('figure', FIGURES, values.figures),
    minutes: positive('--minutes', values.minutes),
    processes: whole('--processes', values.processes),
    seed: whole('--seed', values.seed),
    quorum: values.queues === 'quorum',
    shards: whole('--shards', values.shards),
    keys,
    publishers,
    rate: positive('--rate', values.rate),
    heartbeat: positive('--heartbeat', values.heartbeat),
    prefetch: whole('--prefetch', values.prefetch),
    consumerTimeout:
      values['consumer-timeout'] === undefined
        ? undefined
        : positive('--consumer-timeout', values['consumer-timeout']) * 1_000,
    store: values.store,
    embedded: values.embedded,
    actions: actionsOf(values.actions, values.store),
    shortest: shortest!,
    longest: Math.max(shortest!, longest ?? 0),
    mutant: values.mutant,
    standstill: 30_000,
  };
}

function actionsOf(list: string | undefined, store: boolean): readonly Action[] {
  const known = store ? ACTIONS : ACTIONS.filter((action) => !STORE_ACTIONS.includes(action));
  return list === undefined ? known : chosen('action', known, list);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: withFigures(args),
      options: {
        minutes: { type: 'string', default: '2' },
        processes: { type: 'string', default: '3' },
        seed: { type: 'string', default: '1' },
        queues: { type: 'string', default: 'classic' },
        shards: { type: 'string', default: '12' },
        keys: { type: 'string', default: '40' },
        publishers: { type: 'string', default: '2' },
        rate: { type: 'string', default: '200' },
        heartbeat: { type: 'string', default: '2' },
        prefetch: { type: 'string', default: '20' },
        'consumer-timeout': { type: 'string' },
        interval: { type: 'string', default: '1000,3500' },
        actions: { type: 'string' },
        store: { type: 'boolean', default: false },
        embedded: { type: 'boolean', default: false },
        mutant: { type: 'string' },
        mutants: { type: 'boolean', default: false },
        short: { type: 'boolean', default: false },
        figures: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new UsageError(`${option} must be a number above 0, not '${text}'.`);
}

function whole(option: string, text: string): number {
  const number = positive(option, text);
  if (Number.isInteger(number)) return number;
  throw new UsageError(`${option} must be a whole number, not '${text}'.`);
}

/** `--figures` alone means all of them, which the parser of arguments does not know. */
function withFigures(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const alone = arg === '--figures' && (args[i + 1] ?? '-').startsWith('-');
    return alone ? `--figures=${FIGURES.join(',')}` : arg;
  });
}

function chosen<T extends string>(what: string, known: readonly T[], list: string): T[] {
  return list.split(',').map((text) => {
    const one = known.find((name) => name === text);
    if (one === undefined) throw new UsageError(`Unknown ${what} '${text}': use ${known.join(', ')}.`);
    return one;
  });
}

import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly help: boolean;
  readonly list: boolean;
  /** Beginnings of the names of the comparisons to run; all where empty. */
  readonly only: readonly string[];
  /** Counted runs of each contender. */
  readonly runs: number;
  /** Factor on the number of messages. */
  readonly scale: number;
  readonly writeDocs: boolean;
  readonly measure: boolean;
}

export const USAGE = `Usage: npm run bench -- [options]

Measures the library beside its neighbours, each run in a process of its own, the contenders in turns.

  --only <name,...>  only these comparisons, or those whose names begin so
  --runs <n>         counted runs of each contender, after one that is not (default 5)
  --scale <n>        factor on the number of messages (default 1), to try things out
  --write-docs       puts the figures into docs/benchmarks.md and docs/benchmarks.json
  --no-measure       measures nothing: prints, or with --write-docs writes, what was measured last
  --list             names the comparisons
  --help             prints this

Results: bench/results/latest.json. What was measured before on the same machine and versions is kept.`;

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function parseOptions(args: readonly string[]): BenchOptions {
  const values = parse(args);
  return {
    help: values.help,
    list: values.list,
    only: values.only.flatMap((names) => names.split(',')),
    runs: Math.ceil(positive('--runs', values.runs)),
    scale: positive('--scale', values.scale),
    writeDocs: values['write-docs'],
    measure: !values['no-measure'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: [] },
        runs: { type: 'string', default: '5' },
        scale: { type: 'string', default: '1' },
        'write-docs': { type: 'boolean', default: false },
        'no-measure': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
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

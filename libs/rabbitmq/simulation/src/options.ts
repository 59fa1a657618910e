import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios/index.js';
import type { Size } from './scenarios/scenario.js';

export interface SimulateOptions {
  readonly size: Size;
  /** What happens. */
  readonly scenarios: readonly string[];
  readonly help: boolean;
}

export const USAGE = `Usage: npm run simulate -- [options]

Runs the library's members and coordinators by the thousand on a simulated broker, and checks what is promised of ownership.

  --processes <n>     default 50
  --shards <n>        default 1000
  --seed <n>          fixes all that happens (default 1)
  --quorum            whoever wants to coordinate waits in line, as with quorum queues
  --scenarios <a,b>   only these: ${Object.keys(SCENARIOS).join(', ')}
  --help              print this`;

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function parseOptions(args: readonly string[]): SimulateOptions {
  const values = parse(args);
  const scenarios = values.scenarios?.split(',') ?? Object.keys(SCENARIOS);
  const unknown = scenarios.find((name) => !(name in SCENARIOS));
  if (unknown !== undefined) throw new UsageError(`There is no scenario '${unknown}'.`);
  const size = {
    processes: whole('--processes', values.processes),
    shards: whole('--shards', values.shards),
    seed: whole('--seed', values.seed),
    quorum: values.quorum,
  };
  return { size, scenarios, help: values.help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        processes: { type: 'string', default: '50' },
        shards: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1' },
        quorum: { type: 'boolean', default: false },
        scenarios: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${name} must be a whole number from 1 on.`);
}

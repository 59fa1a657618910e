import { loadavg } from 'node:os';
import type { Comparison, Contender, Result } from './comparison.js';
import type { Measurement } from './measurement.js';

/**
 * Runs every contender once and does not count it, then `runs` times, in turns: A B C, B C A, C A B. What the machine
 * does beside that meets all of them.
 */
export async function compare<Context>(
  { name, contenders }: Comparison<Context>,
  context: Context,
  runs: number,
  tell: (text: string) => void,
): Promise<Result> {
  const date = new Date().toISOString();
  const load = Number(loadavg()[0]!.toFixed(2));
  const counted = new Map<string, Measurement[]>(contenders.map((contender) => [contender.name, []]));
  for (let round = 0; round <= runs; round++) {
    for (const contender of rotated(contenders, round)) {
      tell(`${name}: ${round === 0 ? 'warm-up' : `round ${round} of ${runs}`}: ${contender.name}`);
      const measurement = await contender.measure(context);
      if (round > 0) counted.get(contender.name)!.push(measurement);
    }
  }
  const rows = contenders.map((contender) => ({ contender: contender.name, runs: counted.get(contender.name)! }));
  return { name, date, load, rows };
}

function rotated<Context>(contenders: readonly Contender<Context>[], by: number): Contender<Context>[] {
  const first = by % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}

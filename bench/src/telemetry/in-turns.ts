import { Feeder } from '../process/feeder.js';
import { Keys } from '../process/keys.js';
import { Bodies } from '../process/message.js';
import { cpuOf, Stopwatch } from '../harness/measurement.js';
import type { Side } from './sides.js';

/** Rounds that do not count. */
const WARM_UP = 20;

/** How much each side does in its turn. */
export interface Turns {
  readonly rounds: number;
  readonly messages: number;
  readonly keys: number;
  readonly wave: number;
}

/** The middle of some values, and that of either half: what a busy machine makes of single ones is left out. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** What a side needed over all rounds. */
export interface SideResult {
  readonly name: string;
  /** CPU time of a message. Microseconds. */
  readonly cpu: Quartiles;
  /** The same divided by that of the first side in the same round. */
  readonly ratio: Quartiles;
}

/**
 * The sides in one process, one after the other in each round, and another first each time: what the machine does beside, and what the
 * process does behind, meets all of them.
 */
export async function inTurns(sides: readonly Side[], { rounds, messages, keys, wave }: Turns): Promise<SideResult[]> {
  const all = new Keys(keys);
  const feeders = sides.map(({ dispatcher, tally }) => new Feeder(dispatcher, tally, all, new Bodies()));
  const costs = sides.map((): number[] => []);
  // Until everything is compiled.
  for (let round = -WARM_UP; round < rounds; round++) {
    for (let turn = 0; turn < sides.length; turn++) {
      const index = (((round + turn) % sides.length) + sides.length) % sides.length;
      globalThis.gc?.();
      const watch = new Stopwatch();
      await feeders[index]!.feed(messages, wave);
      const cost = cpuOf(watch.stop(messages));
      if (round >= 0) costs[index]!.push(cost);
    }
  }
  return sides.map(({ name }, index) => ({
    name,
    cpu: quartilesOf(costs[index]!),
    ratio: quartilesOf(costs[index]!.map((cost, round) => cost / costs[0]![round]!)),
  }));
}

function quartilesOf(values: readonly number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

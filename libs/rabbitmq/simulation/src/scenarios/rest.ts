import type { Operation } from '../broker/operations.js';
import { Trial, type Scenario, type Size } from './scenario.js';

/** For how long it is counted. Seconds. */
const SECONDS = 60;
/** What the greater ones are compared with. */
const SMALL = { processes: 50, shards: 1_000 };
/** So much may be chance: what is done a few times a minute by whoever coordinates. */
const CHANCE = 1;

/** How often each operation is done in a second, at rest. */
export async function ratesAtRest(
  size: Size,
): Promise<{ readonly trial: Trial; readonly rates: Map<Operation, number> }> {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  await simulation.advance(SECONDS * 1_000);
  await trial.settle();
  trial.atMost('still', 0, simulation.auditor.granted);
  const rates = new Map(simulation.broker.operations.list.map(([operation, count]) => [operation, count / SECONDS]));
  return { trial, rates };
}

/** Nothing happens. Each operation is compared with the same among 50 processes and 1,000 shards. */
export const rest: Scenario = async (size) => {
  const small = await ratesAtRest({ ...size, ...SMALL });
  const { trial, rates } = await ratesAtRest(size);
  const growth = Math.max(1, (size.processes + size.shards) / (SMALL.processes + SMALL.shards));
  for (const [operation, rate] of rates) {
    const limit = growth * ((small.rates.get(operation) ?? 0) + CHANCE);
    trial.atMost('rest', limit, rate, `${operation}: ${rate.toFixed(1)} a second`);
  }
  return trial.checks;
};

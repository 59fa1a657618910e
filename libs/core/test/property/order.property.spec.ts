import * as fc from 'fast-check';
import { runScenario } from './run-scenario.js';
import { scenario } from './scenario.js';

/** By default the same scenarios each time; more runs, or another seed, look at others. */
const numRuns = Number(process.env['MISSISSIPPI_PROPERTY_RUNS'] ?? 2_000);
const seed = Number(process.env['MISSISSIPPI_PROPERTY_SEED'] ?? 20_010_101);

test(
  'whatever happens, messages of a key are handled in order, none is lost, and nothing is left behind',
  async () => {
    await fc.assert(fc.asyncProperty(scenario, runScenario), { numRuns, seed });
  },
  60_000 + 100 * numRuns,
);

import { PlantedMutant } from '@mississippi/history';
import { faultsOf, foldPlan } from './fold-faults.js';
import { mutants } from './fold-mutants.js';
import { FoldRun } from './fold-run.js';

/** Runs until which each must have been seen; nearly all are in the first. */
const MOST_RUNS = 12;

describe('the fold notices an engine or a store that', () => {
  test.each(mutants)('$fault', async (mutant) => {
    const planted = new PlantedMutant(mutant);
    try {
      let faults: string[] = [];
      for (let seed = 1; seed <= MOST_RUNS && !faults.some((fault) => mutant.tells.test(fault)); seed++) {
        const plan = foldPlan(seed, { patience: 3_000 }, mutant.faults);
        faults = faultsOf(await new FoldRun(plan).execute(), plan);
      }
      planted.expectStruck();
      expect(faults).toContainEqual(expect.stringMatching(mutant.tells));
    } finally {
      planted.takeOut();
    }
  });
});

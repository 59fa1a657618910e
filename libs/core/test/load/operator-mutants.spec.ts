import { PlantedMutant } from '@mississippi/history';
import { embedded } from '#support/load/embedded.js';
import { mutants } from './mutants.js';

/** So long something is waited for that a fault may keep from happening. Milliseconds. */
const PATIENCE = 4_000;

describe('an action under load notices an engine that', () => {
  test.each(mutants)('$fault', async (mutant) => {
    const planted = new PlantedMutant(mutant);
    try {
      const told = await mutant.in({ ground: embedded(), patience: PATIENCE }).then(
        () => 'nothing was noticed',
        (error: unknown) => String(error),
      );
      planted.expectStruck();
      expect(told).toMatch(mutant.says);
    } finally {
      planted.takeOut();
    }
  });
});

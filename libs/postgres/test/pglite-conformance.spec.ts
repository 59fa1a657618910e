import { storeConformance } from '@mississippi/testing/store';
import { PgliteHarness } from './support/pglite-harness.js';

describe('the store on a PGlite', () => {
  const harness = new PgliteHarness();
  const isProvable = ({ needs }: (typeof storeConformance)[number]): boolean =>
    needs.every((need) => !harness.unsupported.includes(need));

  afterAll(() => harness.close());

  test.each(storeConformance.filter(isProvable))('$name', ({ run }) => run(harness));
});

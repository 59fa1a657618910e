import { storeConformance } from '@mississippi/testing/store';
import { connectionMutants } from './mutants/connection.mutants.js';
import { contentMutants } from './mutants/content.mutants.js';
import { fencingMutants } from './mutants/fencing.mutants.js';
import { maintenanceMutants } from './mutants/maintenance.mutants.js';
import { resolveMutants } from './mutants/resolve.mutants.js';
import { StoreMutantHarness } from './mutants/store-mutant.js';

const mutants = [...fencingMutants, ...resolveMutants, ...contentMutants, ...maintenanceMutants, ...connectionMutants];

describe('the conformance suite of stores notices when', () => {
  test.each(mutants)('$name', async (mutant) => {
    const cases = storeConformance.filter(({ name }) => name === mutant.by);
    expect(cases).toHaveLength(1);
    const harness = new StoreMutantHarness(mutant);
    const broken = await cases[0]!.run(harness).then(
      () => 'the case passed',
      (error: unknown) => String(error),
    );
    if (harness.took === 0) throw new Error(`planted nothing: the fault never took hold, and ${broken}`);
    expect(broken).toMatch(mutant.says);
  });

  test('nothing is wrong, which it does not', async () => {
    for (const { run } of storeConformance) await run(new StoreMutantHarness({}, 5_000));
  });
});

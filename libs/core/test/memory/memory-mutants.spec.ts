import { transportConformance } from '@mississippi/testing/transport';
import { certaintyMutants } from './mutants/certainty.mutants.js';
import { deadLetterReaderMutants } from './mutants/dead-letter-reader.mutants.js';
import { deliveryMutants } from './mutants/delivery.mutants.js';
import { givingUpMutants } from './mutants/giving-up.mutants.js';
import { MutantHarness } from './mutants/mutant.js';
import { openingMutants } from './mutants/opening.mutants.js';
import { ownershipMutants } from './mutants/ownership.mutants.js';
import { publishingMutants } from './mutants/publishing.mutants.js';
import { settlementMutants } from './mutants/settlement.mutants.js';
import { sideQueueMutants } from './mutants/side-queue.mutants.js';

const mutants = [
  ...deliveryMutants,
  ...settlementMutants,
  ...sideQueueMutants,
  ...ownershipMutants,
  ...openingMutants,
  ...certaintyMutants,
  ...givingUpMutants,
  ...publishingMutants,
  ...deadLetterReaderMutants,
];

describe('the conformance suite notices when', () => {
  test.each(mutants)('$name', async (mutant) => {
    const cases = transportConformance.filter((one) => one.name.startsWith(mutant.by));
    expect(cases).toHaveLength(1);
    const harness = new MutantHarness(mutant);
    const broken = await cases[0]!.run(harness).then(
      () => 'the case passed',
      (error: unknown) => String(error),
    );
    if (harness.took === 0) throw new Error(`planted nothing: the fault never took hold, and ${broken}`);
    expect(broken).toMatch(mutant.says);
  });

  test('nothing is wrong, which it does not', async () => {
    const cases = transportConformance.filter(({ needs }) => !needs.includes('signals'));
    for (const { run } of cases) await run(new MutantHarness({}, 5_000));
  });
});

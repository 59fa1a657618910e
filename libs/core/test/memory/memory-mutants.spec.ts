import { transportConformance } from '@mississippi/testing';
import { deliveryMutants } from './mutants/delivery.mutants.js';
import { MutantHarness } from './mutants/mutant.js';
import { ownershipMutants } from './mutants/ownership.mutants.js';
import { publishingMutants } from './mutants/publishing.mutants.js';
import { settlementMutants } from './mutants/settlement.mutants.js';
import { sideQueueMutants } from './mutants/side-queue.mutants.js';

const mutants = [
  ...deliveryMutants,
  ...settlementMutants,
  ...sideQueueMutants,
  ...ownershipMutants,
  ...publishingMutants,
];

describe('the conformance suite notices when', () => {
  test.each(mutants)('$name', async (mutant) => {
    const cases = transportConformance.filter((one) => one.name.startsWith(mutant.by));
    expect(cases).toHaveLength(1);
    await expect(cases[0]!.run(new MutantHarness(mutant))).rejects.toThrow(mutant.says);
  });

  test('nothing is wrong, which it does not', async () => {
    const sound = { name: 'sound', by: '', says: /never/ };
    for (const { run } of transportConformance) await run(new MutantHarness(sound, 5_000));
  });
});

import fc from 'fast-check';
import { sharesOf } from '../../simulation/src/level.js';
import { quotasOf, type Sharer } from '../../src/coordination/share.js';

const sharer: fc.Arbitrary<Sharer> = fc.record({
  weight: fc.integer({ min: 1, max: 100 }).map((tenths) => tenths / 10),
  most: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 100 })),
});

test('weights divide the shards', () => {
  const plain = { weight: 1, most: Infinity };
  expect(quotasOf(12, [plain, plain, plain])).toEqual([4, 4, 4]);
  expect(quotasOf(12, [{ ...plain, weight: 2 }, plain])).toEqual([8, 4]);
  expect(quotasOf(10, [plain, plain, plain, plain])).toEqual([2.5, 2.5, 2.5, 2.5]);
});

test('what somebody may not own the others share', () => {
  const plain = { weight: 1, most: Infinity };
  expect(quotasOf(12, [{ ...plain, most: 2 }, plain, plain])).toEqual([2, 5, 5]);
  // Only when the first has less do the others have more than the second may own.
  expect(quotasOf(12, [{ ...plain, most: 1 }, { ...plain, most: 5 }, plain])).toEqual([1, 5, 6]);
});

test('nobody shares nothing, and where none may own all, some are left', () => {
  expect(quotasOf(12, [])).toEqual([]);
  expect(
    quotasOf(12, [
      { weight: 1, most: 2 },
      { weight: 9, most: 3 },
    ]),
  ).toEqual([2, 3]);
});

test('the shares are all shards, or as many as may be owned, and as another way of reckoning has them', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.array(sharer, { minLength: 1, maxLength: 12 }), (total, sharers) => {
      const quotas = quotasOf(total, sharers);
      const most = sharers.reduce((sum, one) => sum + one.most, 0);
      expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBeCloseTo(Math.min(total, most), 6);
      const wanted = sharesOf(
        Math.min(total, most),
        sharers.map(({ weight, most }) => ({ weight, maxShards: most })),
      );
      quotas.forEach((quota, index) => expect(quota).toBeCloseTo(wanted[index]!, 6));
    }),
  );
});

import { FakeClock } from '../../../core/test/support/fake-clock.js';
import { MissingMembers } from '../../src/coordination/missing-members.js';

function setUp() {
  const clock = new FakeClock();
  const broker = { counted: 5 as number | undefined, members: () => Promise.resolve(broker.counted) };
  const missing = new MissingMembers(broker, clock);
  const look = async (known: number, milliseconds = 0): Promise<[expected: number, mayOwn: boolean]> => {
    await clock.advance(milliseconds);
    await missing.look(() => known);
    return [missing.expected, missing.mayOwn];
  };
  return { broker, look };
}

test('those who are counted and have not reported are expected for a second, and may own shards for half a minute', async () => {
  const { look } = setUp();
  expect(await look(3)).toEqual([2, true]);
  expect(await look(4, 999)).toEqual([1, true]);
  expect(await look(4, 1)).toEqual([0, true]);
  expect(await look(4, 28_999)).toEqual([0, true]);
  expect(await look(4, 1)).toEqual([0, false]);
});

test('nobody is missing where all have reported, or the broker cannot count; and the next one is waited for anew', async () => {
  const { broker, look } = setUp();
  expect(await look(3)).toEqual([2, true]);
  expect(await look(5, 40_000)).toEqual([0, false]);
  broker.counted = undefined;
  expect(await look(5)).toEqual([0, false]);
  broker.counted = 6;
  expect(await look(5, 40_000)).toEqual([1, true]);
});

import { broken } from '../../simulation/src/report.js';
import { SCENARIOS } from '../../simulation/src/scenarios/index.js';

const { rest, ...others } = SCENARIOS;
const scenarios = Object.entries(others);

test.each(scenarios)('20 processes share 256 shards: %s', async (_name, scenario) => {
  expect(broken(await scenario({ processes: 20, shards: 256, seed: 6 }))).toEqual([]);
});

describe('50 processes share 1,000 shards', () => {
  test.each(scenarios)('%s', async (_name, scenario) => {
    expect(broken(await scenario({ processes: 50, shards: 1_000, seed: 3 }))).toEqual([]);
  });
});

test.each([13, 14, 15, 16])('5 processes share 40 shards through a minute of faults (seed %i)', async (seed) => {
  expect(broken(await SCENARIOS['faults']!({ processes: 5, shards: 40, seed, quorum: seed % 2 === 0 }))).toEqual([]);
});

test('at rest 1,000 processes with 10,000 shards ask the broker no more than as many as they are', async () => {
  expect(broken(await rest!({ processes: 1_000, shards: 10_000, seed: 1 }))).toEqual([]);
});

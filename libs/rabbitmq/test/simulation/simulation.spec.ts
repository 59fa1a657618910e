import { broken } from '../../simulation/src/report.js';
import { SCENARIOS } from '../../simulation/src/scenarios/index.js';
import { ratesAtRest } from '../../simulation/src/scenarios/rest.js';
import { Trial } from '../../simulation/src/scenarios/scenario.js';

const scenarios = Object.entries(SCENARIOS).filter(([name]) => name !== 'rest');

describe('20 processes share 256 shards', () => {
  test.each(scenarios)('%s', async (_name, scenario) => {
    expect(broken(await scenario({ processes: 20, shards: 256, seed: 4 }))).toEqual([]);
  });
});

describe('20 processes share 256 shards, and whoever wants to coordinate waits in line, as with quorum queues', () => {
  test.each(scenarios)('%s', async (_name, scenario) => {
    expect(broken(await scenario({ processes: 20, shards: 256, seed: 2, quorum: true }))).toEqual([]);
  });
});

test.each([1, 2])(
  'a rolling restart moves each of 240 shards twice, where 20 processes have 12 each (seed %i)',
  async (seed) => {
    expect(broken(await SCENARIOS['rolling restart']!({ processes: 20, shards: 240, seed }))).toEqual([]);
  },
);

test.each([6, 20])(
  'a hasty rolling restart moves each of 128 shards of 20 processes twice at most (seed %i)',
  async (seed) => {
    expect(broken(await SCENARIOS['hasty rolling restart']!({ processes: 20, shards: 128, seed }))).toEqual([]);
  },
);

test.each([
  [[600, 700], 1],
  [[1_000, 1_200], 2],
] as const)(
  'a broker that takes more than a second to answer has all served (%j ms each way, seed %i)',
  async (latency, seed) => {
    const trial = new Trial({ processes: 5, shards: 40, seed }, { latency });
    await trial.rise();
    expect(broken(trial.checks)).toEqual([]);
  },
);

test.each([11, 12])('5 processes share 40 shards through a minute of faults (seed %i)', async (seed) => {
  expect(broken(await SCENARIOS['faults']!({ processes: 5, shards: 40, seed, quorum: seed % 2 === 0 }))).toEqual([]);
});

test('at rest something is asked: whether somebody coordinates, how many are there, and what was reported is answered', async () => {
  const { rates } = await ratesAtRest({ processes: 20, shards: 256, seed: 1 });
  for (const operation of ['look for a coordinator', 'count members', 'report', 'order', 'settle'] as const)
    expect(rates.get(operation)).toBeGreaterThan(0);
});

test('the same seed gives the same run, and another one another', async () => {
  const runOf = async (seed: number): Promise<unknown> => {
    const { simulation } = await Trial.risen({ processes: 5, shards: 40, seed });
    simulation.start();
    await simulation.advance(2_000);
    const { auditor, broker } = simulation;
    return [auditor.moves, auditor.gaps, broker.operations.list];
  };
  const first = await runOf(1);
  expect(await runOf(1)).toEqual(first);
  expect(await runOf(2)).not.toEqual(first);
});

import type { Deviations } from '../../simulation/src/deviations.js';
import { broken } from '../../simulation/src/report.js';
import { SCENARIOS } from '../../simulation/src/scenarios/index.js';
import type { Promised } from '../../simulation/src/scenarios/scenario.js';

interface Mutant {
  readonly name: string;
  readonly scenario: string;
  readonly breaks: Promised;
  readonly deviations: Deviations;
  readonly processes?: number;
  readonly shards?: number;
}

const mutants: readonly Mutant[] = [
  {
    name: 'the broker refuses no second consumer, and looks show nobody',
    scenario: 'stranger',
    breaks: 'owner',
    deviations: { isLenient: true, consumers: () => 0 },
  },
  {
    name: 'a shard is free before its last handler has ended',
    scenario: 'join',
    breaks: 'owner',
    deviations: { freesBeforeItsHandlersEnd: true },
  },
  {
    name: 'looks show a consumer where there is none',
    scenario: 'death',
    breaks: 'served',
    deviations: { consumers: () => 1 },
  },
  {
    name: 'nobody hands over anything',
    scenario: 'join',
    breaks: 'level',
    deviations: { order: (order) => ({ ...order, shed: 0 }) },
  },
  {
    name: 'each hands over twice as much as it is told',
    scenario: 'join',
    breaks: 'join',
    deviations: { order: (order) => ({ ...order, shed: 2 * order.shed }) },
  },
  {
    name: 'all obey the orders of one',
    scenario: 'death',
    breaks: 'refused',
    deviations: { everybodyObeys: true },
  },
  {
    name: 'those that a process has had longest are handed over first',
    scenario: 'rolling restart',
    breaks: 'restart',
    deviations: { shedsOldest: true },
  },
  {
    name: 'nobody says what it had, where the shares are no whole numbers',
    scenario: 'rolling restart',
    breaks: 'restart',
    deviations: { report: (report) => ({ ...report, had: [] }) },
    shards: 128,
  },
  {
    name: 'the dead are counted',
    scenario: 'death',
    breaks: 'death',
    deviations: { counted: neverLess() },
  },
  {
    name: 'an answer without work has one shard handed over',
    scenario: 'deleted queue',
    breaks: 'still',
    deviations: { order: (order) => ({ ...order, shed: order.claim.length === 0 ? 1 : order.shed }) },
  },
  {
    name: 'each looks as often as if it were alone',
    scenario: 'rest',
    breaks: 'rest',
    deviations: { order: (order) => ({ ...order, members: 1 }) },
    processes: 100,
  },
];

/** Of a count the most that it has been. */
function neverLess(): (count: number) => number {
  let most = 0;
  return (count) => (most = Math.max(most, count));
}

describe('the simulation notices that', () => {
  test.each(mutants)('$name', async ({ scenario, breaks, deviations, processes = 20, shards = 12 * processes }) => {
    const size = { processes, shards, seed: 1, deviations, patience: 10_000 };
    const checks = await SCENARIOS[scenario]!(size);
    expect(broken(checks).map(({ promised }) => promised)).toContain(breaks);
  });
});

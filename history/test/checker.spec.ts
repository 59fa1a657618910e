import { Seeded } from '#support/seeded.js';
import { checkHistory, PROMISES, type HistoryEvent, type Promised } from '../src/index.js';
import { FAULTY } from './faulty-histories.js';
import { HistoryWriter, LIMITS } from './legal-history.js';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);

const broken = (events: readonly HistoryEvent[], limits = LIMITS): Promised[] => [
  ...new Set(checkHistory(events, limits).violations.map(({ promise }) => promise)),
];

describe('a legal history', () => {
  it.each(SEEDS)('breaks no promise, seed %i', (seed) => {
    const verdict = checkHistory(HistoryWriter.legal(new Seeded(seed)).events, LIMITS);
    expect(verdict.violations).toEqual([]);
    expect(verdict.done).toBe(verdict.confirmed);
    expect(verdict.duplicates).toBeLessThanOrEqual(verdict.mostDuplicates);
  });

  it('may be read in any order of its files', () => {
    const { events } = HistoryWriter.legal(new Seeded(7));
    const byProcess = [...events].sort((a, b) => a.process.localeCompare(b.process) || a.n - b.n);
    expect(checkHistory(byProcess, LIMITS)).toEqual(checkHistory(events, LIMITS));
  });
});

describe.each(Object.entries(FAULTY))('a history in which %s', (_name, { promise, plant }) => {
  it.each(SEEDS)(`is found ${promise}, seed %i`, (seed) => {
    const random = new Seeded(seed);
    const events = plant(HistoryWriter.legal(random).events, random);
    expect(broken(events)).toContain(promise);
    expect(broken(events, { ...LIMITS, settlesLater: true })).toContain(promise);
  });
});

test('every promise is broken by a history of the table, but for those of direct messages, operators and signals', () => {
  const promises = new Set(Object.values(FAULTY).map(({ promise }) => promise));
  expect(Object.keys(PROMISES).filter((promise) => !promises.has(promise as Promised))).toEqual([
    'wrongAnswer',
    'startedThoughHeld',
    'startedThoughPaused',
    'claimedThoughPaused',
    'notDropped',
    'signalTwice',
    'signalRanUntold',
    'signalFalseAnswer',
    'signalUnanswered',
    'signalLate',
  ]);
});

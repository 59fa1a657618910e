import { Seeded } from '#support/seeded.js';
import { checkHistory, type Promised } from '../src/checker.js';
import type { ChaosEvent } from '../src/events.js';
import { FAULTY, HistoryWriter } from './histories.js';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);

const broken = (events: readonly ChaosEvent[]): Promised[] => [
  ...new Set(checkHistory(events).violations.map(({ promise }) => promise)),
];

describe('a legal history', () => {
  it.each(SEEDS)('breaks no promise, seed %i', (seed) => {
    const verdict = checkHistory(HistoryWriter.legal(new Seeded(seed)).events);
    expect(verdict.violations).toEqual([]);
    expect(verdict.done).toBe(verdict.confirmed);
    expect(verdict.duplicates).toBeLessThanOrEqual(verdict.mostDuplicates);
  });

  it('may be read in any order of its files', () => {
    const { events } = HistoryWriter.legal(new Seeded(7));
    const byProcess = [...events].sort((a, b) => a.process.localeCompare(b.process) || a.n - b.n);
    expect(checkHistory(byProcess)).toEqual(checkHistory(events));
  });

  it('measures how long a shard was unserved after a kill', () => {
    const writer = new HistoryWriter();
    writer.own('w0.1', 0);
    writer.kill('w0.1');
    const since = writer.now;
    writer.pass(700);
    writer.own('w1.1', 0);
    const { unserved } = checkHistory(writer.events);
    expect(unserved).toHaveLength(1);
    expect(unserved[0]!.milliseconds).toBeGreaterThanOrEqual(700);
    expect(unserved[0]!.since).toBeLessThanOrEqual(since);
    expect(unserved[0]!.cause).toBe('kill');
  });
});

describe.each(Object.entries(FAULTY))('a history in which %s', (_name, { promise, plant }) => {
  it.each(SEEDS)(`is found ${promise}, seed %i`, (seed) => {
    const random = new Seeded(seed);
    const writer = HistoryWriter.legal(random);
    const events = plant(writer.events, random);
    expect(broken(events)).toContain(promise);
  });
});

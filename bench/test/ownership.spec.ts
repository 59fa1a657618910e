import { fit, valueAt } from '../src/ownership/fit.js';
import { OwnershipRecord } from '../src/ownership/ownership-record.js';
import { isLevel, neededMoves } from '../src/ownership/shares.js';

describe('level shares', () => {
  it('are all shards, each process having its share rounded down or up', () => {
    expect(isLevel([3, 3, 4], 10)).toBe(true);
    expect(isLevel([3, 3, 3], 10)).toBe(false);
    expect(isLevel([2, 4, 4], 10)).toBe(false);
    expect(isLevel([3, 3, 5], 11)).toBe(false);
  });

  it.each([
    [[4, 4, 4, 4, 0], 16, 3], // To 4, 3, 3, 3, 3.
    [[8, 8, 0], 16, 5],
    [[5, 5, 5, 0], 15, 3],
    [[6, 4, 5], 15, 1],
    [[5, 5, 5], 15, 0],
    [[5, 5, 6], 16, 0],
    [[16, 0], 16, 8],
  ])('need of %j of %i shards %i moves', (shares, shards, moves) => {
    expect(neededMoves(shares, shards)).toBe(moves);
  });
});

describe('the cost at rest', () => {
  const sizes = [2, 10, 20].flatMap((processes) => [128, 256].map((shards) => ({ processes, shards })));
  const points = (cost: (processes: number, shards: number) => number) =>
    sizes.map(({ processes, shards }) => ({ processes, shards, value: cost(processes, shards) }));

  it('is told apart by processes, shards, and shards of others', () => {
    const fitted = fit(points((processes, shards) => 3 * processes + 0.5 * shards + 0.02 * (processes - 1) * shards));
    expect(fitted.process).toBeCloseTo(3);
    expect(fitted.shard).toBeCloseTo(0.5);
    expect(fitted.foreignShard).toBeCloseTo(0.02);
    expect(fitted.deviation).toBeCloseTo(0);
    expect(valueAt(fitted, 50, 1_000)).toBeCloseTo(150 + 500 + 980);
  });

  it('has no part below zero', () => {
    const fitted = fit(points((processes, shards) => 10 * processes - 0.01 * shards));
    expect(fitted.process).toBeGreaterThan(9);
    expect(fitted.shard).toBe(0);
    expect(fitted.foreignShard).toBeGreaterThanOrEqual(0);
    expect(fitted.deviation).toBeGreaterThan(0.05);
  });
});

describe('the record of who owns what', () => {
  it('knows what each process owns, and what it never had before', () => {
    const record = new OwnershipRecord();
    record.took('a', 1, 10);
    record.took('a', 2, 11);
    record.gave('a', 1, 20);
    record.took('b', 1, 30);
    record.gone('b', 40);
    record.took('a', 1, 50);
    expect([...record.shardsOf('a')]).toEqual([2, 1]);
    expect([...record.shardsOf('b')]).toEqual([]);
    expect(record.served(['a', 'b'])).toBe(2);
    expect(record.takingsSince(30)).toEqual([
      { owner: 'b', shard: 1, at: 30, first: true },
      { owner: 'a', shard: 1, at: 50, first: false },
    ]);
    expect(record.pausesSince(15)).toEqual([10, 10]);
  });

  it('takes what two processes tell in any order', () => {
    const record = new OwnershipRecord();
    record.took('a', 1, 10);
    record.took('b', 1, 30);
    record.gave('a', 1, 25);
    record.gave('a', 1, 28); // Again: it has nothing more to give.
    expect(record.pausesSince(20)).toEqual([5]);
    expect(record.served(['a', 'b'])).toBe(1);
  });

  it('counts no pause where nothing was given back', () => {
    const record = new OwnershipRecord();
    record.took('a', 1, 10);
    record.gave('a', 1, 12);
    record.took('b', 1, 14);
    expect(record.pausesSince(13)).toEqual([]);
    record.took('a', 2, 15);
    expect(record.pausesSince(13)).toEqual([]);
  });
});

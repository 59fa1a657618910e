import fc from 'fast-check';
import { planMoves, type PlanMember, type Situation } from '../../src/coordination/plan.js';
import { quotasOf } from '../../src/coordination/share.js';

function member(id: string, load: number, other: Partial<PlanMember> = {}): PlanMember {
  return { id, load, weight: 1, most: Infinity, ready: true, home: new Set(), staying: [], able: () => true, ...other };
}

function situation(members: readonly PlanMember[], other: Partial<Situation> = {}): Situation {
  const held = members.reduce((sum, { load }) => sum + load, 0);
  return { members, free: [], held, coming: 0, expected: 0, ...other };
}

/** Of each member how many it is to claim, and how many to hand over. */
function counts(given: Situation): Record<string, number> {
  const { claims, sheds } = planMoves(given);
  const claimed = [...claims].map(([id, shards]) => [id, shards.length] as const);
  return Object.fromEntries([...claimed, ...[...sheds].map(([id, { count }]) => [id, -count] as const)]);
}

describe('free shards', () => {
  test('go to whoever lacks most of its share', () => {
    const members = [member('a', 4), member('b', 0), member('c', 2)];
    expect(counts(situation(members, { free: [1, 2, 3, 4, 5, 6] }))).toEqual({ b: 4, c: 2 });
    // Of 8 shards each should have 2.7: b lacks most before each of the two.
    expect(counts(situation(members, { free: [1, 2] }))).toEqual({ a: -1, b: 2 });
  });

  test('go by weights', () => {
    const members = [member('a', 0, { weight: 2 }), member('b', 0)];
    expect(counts(situation(members, { free: [1, 2, 3, 4, 5, 6] }))).toEqual({ a: 4, b: 2 });
  });

  test('go to nobody who can own no more, or cannot own them', () => {
    const members = [member('a', 0, { most: 1 }), member('b', 0, { able: (shard) => shard !== 7 })];
    const plan = planMoves(situation(members, { free: [7, 8, 9] }));
    expect(Object.fromEntries(plan.claims)).toEqual({ a: [7], b: [8, 9] });
    expect(planMoves(situation([members[1]!], { free: [7, 8] })).unserved).toEqual([7]);
  });

  test('wait for whoever carries out an order and lacks most', () => {
    const members = [member('a', 6), member('b', 0, { ready: false })];
    const plan = planMoves(situation(members, { free: [1, 2] }));
    expect([plan.claims.size, plan.unserved]).toEqual([0, []]);
  });

  test('are kept for those who are about to report', () => {
    expect(counts(situation([member('a', 0)], { free: [1, 2, 3, 4], expected: 1 }))).toEqual({ a: 2 });
  });
});

describe('what is handed over', () => {
  test('is what somebody lacks, from whoever has most', () => {
    expect(counts(situation([member('a', 6), member('b', 0)]))).toEqual({ a: -3 });
    expect(counts(situation([member('a', 7), member('b', 4), member('c', 1)]))).toEqual({ a: -3 });
    expect(counts(situation([member('a', 9), member('b', 9), member('c', 0)]))).toEqual({ a: -3, b: -3 });
  });

  test('is nothing where all have their share, rounded down or up', () => {
    expect(counts(situation([member('a', 4), member('b', 3), member('c', 3)]))).toEqual({});
  });

  test('is nothing for shards that are free, or will be', () => {
    const members = [member('a', 6), member('b', 0)];
    expect(counts(situation(members, { held: 9, coming: 3 }))).toEqual({ a: -1 });
    expect(counts(situation(members, { held: 12, coming: 6 }))).toEqual({});
    expect(counts(situation(members, { free: [1, 2, 3, 4, 5, 6] }))).toEqual({ b: 6 });
  });

  test('is nothing of whoever carries out an order', () => {
    expect(counts(situation([member('a', 6, { ready: false }), member('b', 0)]))).toEqual({});
  });

  test('is what somebody has above its most, where another may have it', () => {
    expect(counts(situation([member('a', 6, { most: 2 }), member('b', 3)]))).toEqual({ a: -4 });
  });
});

describe('whoever starts in the place of one that has ended', () => {
  const home = new Set([3, 4, 5]);

  test('gets the free ones of its shards, and not others that lack as much', () => {
    const members = [member('a', 2), member('b', 2), member('c', 0, { home })];
    const { claims } = planMoves(situation(members, { free: [2, 3, 4] }));
    expect(Object.fromEntries(claims)).toEqual({ c: [3, 4], a: [2] });
  });

  test('gets one more than its share rounded down, where it had one more', () => {
    const [a, b] = [member('a', 4, { staying: [0, 1, 2, 3] }), member('b', 4, { staying: [4, 5, 6, 7] })];
    expect(counts(situation([a, b, member('c', 0)]))).toEqual({ a: -1, b: -1 });
    const { sheds } = planMoves(situation([a, b, member('c', 0, { home })]));
    expect(Object.fromEntries(sheds)).toEqual({ a: { count: 1, wanted: [3] }, b: { count: 2, wanted: [4, 5] } });
  });

  test('gets what it had from whoever has it, and not what another has', () => {
    const [a, b] = [member('a', 3, { staying: [0, 1, 2] }), member('b', 3, { staying: [3, 6, 7] })];
    const { sheds } = planMoves(situation([a, b, member('c', 1, { home })]));
    expect(Object.fromEntries(sheds)).toEqual({ b: { count: 1, wanted: [3] } });
  });

  test('gets no more than its share rounded down, where nobody can spare what it had, or it had more than a share', () => {
    const [a, b] = [member('a', 3, { staying: [0, 1, 2] }), member('b', 2, { staying: [4, 5] })];
    expect(counts(situation([a, b, member('c', 2, { home })]))).toEqual({});
    const large = new Set([0, 1, 2, 3, 4, 5, 6, 7]);
    const [d, e] = [member('d', 4, { staying: [0, 1, 2, 3] }), member('e', 4, { staying: [4, 5, 6, 7] })];
    expect(counts(situation([d, e, member('f', 0, { home: large })]))).toEqual({ d: -1, e: -1 });
  });

  test('gets no more than its share, nor what is above its most', () => {
    const members = [member('a', 2), member('b', 0, { home: new Set([1, 2, 3, 4]) })];
    expect(counts(situation(members, { free: [1, 2, 3, 4] }))).toEqual({ a: 1, b: 3 });
    const limited = [member('a', 0), member('b', 0, { home, most: 1 })];
    expect(counts(situation(limited, { free: [3, 4, 5] }))).toEqual({ a: 2, b: 1 });
  });
});

const members = fc
  .array(
    fc.record({
      load: fc.nat(40),
      weight: fc.constantFrom(1, 1, 2, 0.5),
      most: fc.constantFrom(Infinity, Infinity, 10),
      ready: fc.constantFrom(true, true, false),
      unable: fc.uniqueArray(fc.nat(30), { maxLength: 5 }),
      home: fc.uniqueArray(fc.nat(30), { maxLength: 5 }).map((shards) => new Set(shards)),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((list) =>
    list.map(({ unable, ...one }, index) =>
      member(`m${index}`, one.load, { ...one, able: (shard) => !unable.includes(shard) }),
    ),
  );
const free = fc.uniqueArray(fc.nat(30), { maxLength: 31 });

test('each free shard is claimed once at most, by one who can, may own it and has nothing else to do', () => {
  fc.assert(
    fc.property(members, free, fc.nat(3), (members, free, expected) => {
      const { claims, unserved } = planMoves(situation(members, { free, expected }));
      const claimed = [...claims.values()].flat();
      expect(new Set([...claimed, ...unserved]).size).toBe(claimed.length + unserved.length);
      for (const shard of [...claimed, ...unserved]) expect(free).toContain(shard);
      for (const [id, shards] of claims) {
        const taker = members.find((one) => one.id === id)!;
        expect(taker.ready).toBe(true);
        expect(shards.every((shard) => taker.able(shard))).toBe(true);
        expect(taker.load + shards.length).toBeLessThanOrEqual(taker.most);
      }
    }),
  );
});

test('nobody hands over what it needs for its share, and nobody but who is ready', () => {
  fc.assert(
    fc.property(members, fc.nat(20), (members, coming) => {
      const given = situation(members, { coming });
      const quotas = quotasOf(given.held, members);
      for (const [id, { count }] of planMoves(given).sheds) {
        const index = Number(id.slice(1));
        expect(members[index]!.ready).toBe(true);
        expect(members[index]!.load - count).toBeGreaterThanOrEqual(Math.floor(quotas[index]! + 1e-9));
      }
    }),
  );
});

test('where all can own everything, two plans make all level, with no more moves than it takes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { minLength: 1, maxLength: 12 }), (loads) => {
      const now = loads.map((load, index) => member(`m${index}`, load));
      const { sheds } = planMoves(situation(now));
      const left = now.map((one) => ({ ...one, load: one.load - (sheds.get(one.id)?.count ?? 0) }));
      const moved = loads.reduce((sum, load) => sum + load, 0) - left.reduce((sum, { load }) => sum + load, 0);
      const { claims } = planMoves(situation(left, { free: Array.from({ length: moved }, (_, shard) => shard) }));
      const share = loads.reduce((sum, load) => sum + load, 0) / loads.length;
      for (const { id, load } of left) {
        const after = load + (claims.get(id)?.length ?? 0);
        expect([Math.floor(share), Math.ceil(share)]).toContain(after);
      }
      const lacking = loads.reduce((sum, load) => sum + Math.max(0, Math.floor(share) - load), 0);
      const above = loads.reduce((sum, load) => sum + Math.max(0, load - Math.ceil(share)), 0);
      expect(moved).toBe(Math.max(lacking, above));
    }),
  );
});

/** Shards by their owners, and what each is to have rather than others. */
const ownership = fc
  .record({
    owners: fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
    processes: fc.array(
      fc.record({
        home: fc.uniqueArray(fc.nat(39), { maxLength: 8 }).map((shards) => new Set(shards)),
        weight: fc.constantFrom(1, 1, 1, 2, 0.5),
        most: fc.constantFrom(Infinity, Infinity, Infinity, 3, 8),
      }),
      { minLength: 6, maxLength: 6 },
    ),
  })
  .map(({ owners, processes }) => {
    const held = processes.map((_, index) => owners.flatMap((owner, shard) => (owner === index ? [shard] : [])));
    return { held, processes };
  });

/** Carries a plan out: who sheds gives what is wanted, and then what he got last. Returns how many moved. */
function carryOut(held: number[][], processes: readonly Partial<PlanMember>[]): number {
  const now = (): PlanMember[] =>
    held.map((shards, index) => member(`${index}`, shards.length, { ...processes[index]!, staying: [...shards] }));
  const free: number[] = [];
  for (const [id, { count, wanted }] of planMoves(situation(now())).sheds) {
    const shards = held[Number(id)]!;
    const going = [...wanted, ...shards.filter((shard) => !wanted.includes(shard)).toReversed()].slice(0, count);
    free.push(...going);
    held[Number(id)] = shards.filter((shard) => !going.includes(shard));
  }
  for (const [id, shards] of planMoves(situation(now(), { free })).claims) held[Number(id)]!.push(...shards);
  return free.length;
}

test('plans come to rest, whoever is to have what', () => {
  fc.assert(
    fc.property(ownership, ({ held, processes }) => {
      let rounds = 0;
      while (carryOut(held, processes) > 0) expect(++rounds).toBeLessThan(held.length + 2);
    }),
    { numRuns: 2_000 },
  );
});

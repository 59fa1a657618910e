import { UnownedShards } from '../../src/coordination/unowned-shards.js';

/** Shards without an owner, of eight; the others are owned. */
function setUp(...unowned: readonly number[]) {
  const shards = new UnownedShards();
  const without = (list: readonly number[], now: number): void =>
    shards.update(8, (shard) => !list.includes(shard), now);
  without(unowned, 0);
  return { shards, without };
}

test('a shard that has just lost its owner is looked at, again as long after as that was ago, and then in turn', () => {
  const { shards } = setUp(3);
  const looks: number[] = [];
  for (let now = 0; now < 4_000; now++) {
    if (shards.due(now, 0, false).length === 0) continue;
    looks.push(now);
    shards.looked(3, 1, now);
  }
  expect(looks).toEqual([0, 50, 100, 200, 400, 800, 1_600]);
  expect(shards.due(4_000, 1, false)).toEqual([3]);
});

test('it is told when the next look is due', () => {
  const { shards } = setUp(3);
  expect(shards.nextDue()).toBe(0);
  const looks: number[] = [];
  for (let due = shards.nextDue(); due !== undefined; due = shards.nextDue()) {
    if (due > 0) expect(shards.due(due - 1, 0, false)).toEqual([]);
    expect(shards.due(due, 0, false)).toEqual([3]);
    looks.push(due);
    shards.looked(3, 1, due);
  }
  expect(looks).toEqual([0, 50, 100, 200, 400, 800, 1_600]);
});

test('what was not looked at yet is due, however long ago it has lost its owner', () => {
  const { shards } = setUp(3, 5);
  expect(shards.due(10_000, 0, false)).toEqual([3, 5]);
  expect(shards.unsettled(10_000)).toBe(2);
});

test('the others are looked at in turn: whoever was looked at longest ago comes first', () => {
  const { shards } = setUp(1, 3, 5);
  for (const [shard, now] of [[1, 3_000], [5, 3_100], [3, 3_200]] as const) shards.looked(shard, 1, now); // prettier-ignore
  expect(shards.due(4_000, 2, false)).toEqual([1, 5]);
  expect(shards.nextDue()).toBeUndefined();
});

test('what was free is free for a second, and looked at again where somebody could own more', () => {
  const { shards } = setUp(1, 3);
  shards.looked(1, 0, 3_000);
  shards.looked(3, 1, 3_000);
  expect(shards.free(3_999)).toEqual([1]);
  expect(shards.due(3_999, 0, true)).toEqual([]);
  expect(shards.free(4_000)).toEqual([]);
  expect(shards.due(4_000, 0, true)).toEqual([1]);
  expect(shards.due(4_000, 0, false)).toEqual([]);
});

test('what others consume is theirs, when it has been so for two seconds', () => {
  const { shards } = setUp(1, 3);
  shards.looked(1, 0, 10);
  shards.looked(3, 1, 10);
  expect([shards.unsettled(10), shards.foreign(10)]).toEqual([1, []]);
  expect([shards.unsettled(2_000), shards.foreign(2_000)]).toEqual([0, [3]]);
});

test('a shard that has an owner again is forgotten, and begins anew when it has lost him', () => {
  const { shards, without } = setUp(3);
  shards.looked(3, 0, 10);
  without([], 20);
  expect([shards.free(20), shards.due(20, 8, true)]).toEqual([[], []]);
  shards.looked(3, 0, 25); // It was on its way.
  without([3], 30);
  expect([shards.free(30), shards.due(30, 0, true)]).toEqual([[], [3]]);
});

test('one that cannot be looked at rests, twice as long each time and half a minute at most', () => {
  const { shards } = setUp(3);
  const looks: number[] = [];
  for (let now = 0; now < 100_000; now += 50) {
    if (shards.due(now, 8, true).length === 0) continue;
    looks.push(now);
    shards.looked(3, undefined, now);
    expect(shards.nextDue()).toBeUndefined();
  }
  const pauses = looks.slice(1).map((at, index) => at - looks[index]!);
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  shards.looked(3, 0, 100_000);
  expect(shards.free(100_000)).toEqual([3]);
});

test('for how long a shard has been free is known, whatever was seen in between', () => {
  const { shards } = setUp(3);
  for (const now of [100, 200, 1_600]) shards.looked(3, 0, now);
  expect([shards.freeFor(1_500, 1_599), shards.freeFor(1_500, 1_600)]).toEqual([[], [3]]);
  shards.looked(3, 1, 1_700);
  shards.looked(3, 0, 1_800);
  expect(shards.freeFor(1_500, 1_900)).toEqual([]);
});

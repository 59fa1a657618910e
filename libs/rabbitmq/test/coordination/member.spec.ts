import { FakeClock } from '../../../core/test/support/fake-clock.js';
import { Member } from '../../src/coordination/member.js';
import type { Order, Report } from '../../src/coordination/reports.js';

function setUp(prepare = (): Promise<void> => Promise.resolve()) {
  const clock = new FakeClock();
  const reports: Report[] = [];
  const sheds: (readonly [count: number, wanted: readonly number[]])[] = [];
  const claims: (readonly number[])[] = [];
  const paused: (readonly string[])[] = [];
  const broker = {
    blocked: false,
    consumers: () => Promise.resolve(1),
    members: () => Promise.resolve(2),
    isCoordinated: () => Promise.resolve(true),
    campaign: () => Promise.reject(new Error('there is a coordinator')),
    report: (report: Report) => Promise.resolve(void reports.push(report)),
  };
  const shards = {
    connected: true,
    owned: [1, 2, 3],
    leaving: [],
    unable: [],
    verified: [],
    most: Infinity,
    claim: (some: readonly number[]) => Promise.resolve(void claims.push(some)),
    shed: (count: number, wanted: readonly number[]) => void sheds.push([count, wanted]),
  };
  const member = new Member(
    { id: 'a', name: 'a', application: 'app', totalCount: 8, weight: 1, interval: 500 },
    broker,
    shards,
    clock,
    {
      prepare,
      failed: () => undefined,
      paused: (types) => void paused.push(types),
      coordinator: () => ({
        reported: () => undefined,
        asked: () => undefined,
        requested: () => undefined,
        kept: () => undefined,
        marked: () => undefined,
        stop: () => undefined,
      }),
    },
  );
  const started = member.start();
  const last = (): Report => reports.at(-1)!;
  const order = (id: string, seq: number, work: Partial<Order>): void =>
    member.obey({ id, seq, members: 2, claim: [], verified: [], shed: 0, wanted: [], ...work });
  return { clock, member, started, order, last, sheds, claims, paused, shards };
}

test('what is ordered again while nothing could be heard is carried out once', async () => {
  const { clock, order, last, sheds, claims } = setUp();
  await clock.advance(0);
  const { seq } = last();
  for (const id of ['first', 'second', 'third']) order(id, seq, { shed: 2, wanted: [3], claim: [5] });
  await clock.advance(10);
  expect([sheds, claims]).toEqual([[[2, [3]]], [[5]]]);
  expect(last().done).toBe('third'); // The coordinator waits for this one.
});

test('what is ordered after the report that tells of the last order is carried out', async () => {
  const { clock, order, last, sheds } = setUp();
  await clock.advance(0);
  order('first', last().seq, { shed: 2 });
  await clock.advance(10);
  expect(last().done).toBe('first');
  order('second', last().seq, { shed: 1 });
  await clock.advance(10);
  expect(sheds).toEqual([
    [2, []],
    [1, []],
  ]);
});

test('who leaves goes on telling what it had, after it has handed it over', async () => {
  const { clock, member, shards, last } = setUp();
  await clock.advance(0);
  expect(last().had).toEqual([]);
  await member.retire();
  shards.owned = [2];
  member.changed();
  await clock.advance(10);
  expect(last()).toMatchObject({ had: [1, 2, 3], owned: [2], left: false });
  shards.owned = [];
  await member.stop();
  expect(last()).toMatchObject({ had: [1, 2, 3], owned: [], left: true });
});

test('what is paused is known before anything is claimed, and reported; an older order changes nothing', async () => {
  const { clock, order, last, claims, paused } = setUp();
  await clock.advance(0);
  const seen: unknown[] = [];
  const { seq } = last();
  order('first', seq, { claim: [5], pauses: { version: 2, types: ['b'] } });
  seen.push([...paused], [...claims]);
  await clock.advance(10);
  expect(seen[0]).toEqual([['b']]);
  expect(claims).toEqual([[5]]);
  expect(last().pauses).toEqual({ version: 2, types: ['b'] });
  order('late', seq, { pauses: { version: 1, types: ['a'] } });
  order('again', seq, { pauses: { version: 2, types: ['b'] } });
  await clock.advance(10);
  expect(paused).toEqual([['b']]);
});

test('whether an operator has it claim nothing is reported', async () => {
  const { clock, member, last, shards } = setUp();
  await clock.advance(0);
  expect('paused' in last()).toBe(false);
  Object.assign(shards, { paused: true, most: 0 });
  member.changed();
  await clock.advance(10);
  expect(last()).toMatchObject({ paused: true, most: 0, connected: true });
});

test('a start does not wait for orders where the first look has failed: whoever is refused is told at once', async () => {
  const { clock, started } = setUp(() => Promise.reject(new Error('these are the queues of another application')));
  let isOver = false;
  void started.then(() => (isOver = true));
  await clock.advance(0);
  expect(isOver).toBe(true);
});

test('what it is to have rather than others is reported for the next coordinator, until it is told so no more', async () => {
  const { clock, order, last } = setUp();
  await clock.advance(0);
  expect(last().home).toBeUndefined();
  order('first', last().seq, { claim: [5], home: [5, 6] });
  await clock.advance(10);
  expect(last().home).toEqual([5, 6]);
  order('again', last().seq, { claim: [], home: [5, 6] });
  await clock.advance(7_000);
  expect(last().home).toEqual([5, 6]);
  expect(last().homeAge).toBeGreaterThan(4_000);
  order('second', last().seq, { claim: [6] });
  await clock.advance(10);
  expect(last().home).toBeUndefined();
});

import { FakeClock } from '../../../core/test/support/fake-clock.js';
import { Coordinator } from '../../src/coordination/coordinator.js';
import type { Order, Report } from '../../src/coordination/reports.js';

test('a question is settled when it was answered, so that the next coordinator gets it where this one dies before', async () => {
  const clock = new FakeClock();
  const done: string[] = [];
  let answered = (): void => undefined;
  const broker = {
    consumers: () => Promise.resolve(1),
    members: () => Promise.resolve(0),
    isAlive: () => Promise.resolve(true),
    order: () => Promise.resolve(),
    tell: () => new Promise<void>((resolve) => (answered = resolve)),
    answer: () => Promise.resolve(),
    forward: () => Promise.resolve(),
    keep: () => Promise.resolve(),
    mark: () => Promise.resolve(),
  };
  const hooks = { looked: () => undefined, failed: () => undefined };
  const coordinator = new Coordinator('one', 4, broker, clock, hooks);
  coordinator.asked({ address: 'here', question: 'who?', again: false, settle: () => done.push('settled') });
  await clock.advance(10);
  expect(done).toEqual([]);
  answered();
  await clock.advance(10);
  expect(done).toEqual(['settled']);
  coordinator.stop();
});

test('who was to have something rather than others by the word of the coordinator before has it by that of the next', async () => {
  const clock = new FakeClock();
  const orders = new Map<string, Order>();
  const broker = {
    consumers: (shard: number) => Promise.resolve(shard === 3 ? 0 : 1),
    members: () => Promise.resolve(2),
    isAlive: () => Promise.resolve(true),
    order: (address: string, order: Order) => Promise.resolve(void orders.set(address, order)),
    tell: () => Promise.resolve(),
    answer: () => Promise.resolve(),
    forward: () => Promise.resolve(),
    keep: () => Promise.resolve(),
    mark: (id: string) => Promise.resolve(coordinator.marked(id, mailOf('mark'))),
  };
  const mailOf = (address: string) => ({ address, question: undefined, again: true, settle: () => undefined });
  const coordinator = new Coordinator('next', 5, broker, clock, { looked: () => undefined, failed: () => undefined });
  const report = (id: string, owned: readonly number[], more: Partial<Report> = {}): void => {
    const lists = { had: [], owned, leaving: [], unable: [], verified: [] };
    const known = { seq: 1, name: id, application: 'app', totalCount: 5, done: '', connected: true, left: false };
    coordinator.reported({ id, ...known, weight: 1, most: Infinity, ...lists, ...more }, mailOf(id));
  };
  report('a', [0, 1]);
  report('b', [2, 4], { home: [2, 3, 4], homeAge: 59_000 });
  await clock.advance(100);
  expect([orders.get('a')?.claim, orders.get('b')?.claim]).toEqual([[], [3]]);
  expect(orders.get('b')?.home).toEqual([2, 3, 4]);
  // Not for longer than by one coordinator: its time is not begun anew.
  await clock.advance(1_000);
  report('b', [2, 3, 4], { seq: 2, home: [2, 3, 4], homeAge: 60_000 });
  await clock.advance(100);
  expect(orders.get('b')?.home).toBeUndefined();
  coordinator.stop();
});

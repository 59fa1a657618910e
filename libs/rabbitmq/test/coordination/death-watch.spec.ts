import { FakeClock } from '../../../core/test/support/fake-clock.js';
import { DeathWatch, type Watched } from '../../src/coordination/death-watch.js';

const ALL: readonly Watched[] = [
  { id: 'a', address: 'at a', shard: 1, reportedAt: 0 },
  { id: 'b', address: 'at b', shard: 2, reportedAt: 0 },
  { id: 'c', address: 'at c', shard: undefined, reportedAt: 0 },
];

function setUp() {
  const clock = new FakeClock();
  const said: string[] = [];
  const broker = {
    counted: 3 as number | undefined,
    /** Addresses that lead nowhere, and shards that nobody consumes. */
    gone: new Set<string | number>(),
    questions: 0,
    members: () => Promise.resolve(broker.counted),
    isAlive: (address: string) => Promise.resolve(broker.asked(address)),
    consumers: (shard: number) => Promise.resolve(broker.asked(shard) ? 1 : 0),
    asked(what: string | number): boolean {
      broker.questions++;
      return !broker.gone.has(what);
    },
  };
  const watch = new DeathWatch(broker, clock, {
    died: (id) => said.push(`${id} died`),
    lost: (id) => said.push(`${id} lost`),
  });
  const look = async (milliseconds = 0, all = ALL): Promise<void> => {
    await clock.advance(milliseconds);
    await watch.look(all.length, all);
  };
  return { broker, clock, said, look };
}

test('nobody is looked at while as many are counted as are known', async () => {
  const { broker, said, look } = setUp();
  broker.gone.add('at a');
  await look();
  expect([broker.questions, said]).toEqual([0, []]);
});

test('whose address leads nowhere has died', async () => {
  const { broker, said, look } = setUp();
  broker.counted = 2;
  broker.gone.add('at c').add('at a').add(1);
  await look();
  expect(said.sort()).toEqual(['a died', 'c died']);
});

test('who can be reached, and whose shard nobody consumes, has lost what he owned', async () => {
  const { broker, said, look } = setUp();
  broker.counted = 2;
  broker.gone.add(2);
  await look();
  expect(said).toEqual(['b lost']);
});

test('while fewer are counted than are known all are looked at less and less often, and at once the next time', async () => {
  const { broker, look } = setUp();
  broker.counted = 2;
  const looks: number[] = [];
  for (let now = 0; now < 1_000; now += 10) {
    const before = broker.questions;
    await look(now === 0 ? 0 : 10);
    if (broker.questions > before) looks.push(now);
  }
  expect(looks).toEqual([0, 50, 150, 350, 750]);
  broker.counted = 3;
  await look(10_000);
  broker.counted = 2;
  const before = broker.questions;
  await look(10);
  expect(broker.questions).toBeGreaterThan(before);
});

test('who is not counted is looked for, where the broker cannot count', async () => {
  const { broker, said, look } = setUp();
  broker.counted = undefined;
  broker.gone.add('at b');
  await look();
  expect(said).toEqual(['b died']);
});

test('who dies is missed while others are counted who are not known', async () => {
  const { broker, said, look } = setUp();
  broker.counted = 4;
  await look();
  broker.counted = 3;
  await look(200);
  expect([broker.questions, said]).toEqual([5, []]); // His other connection is still there.
  broker.gone.add('at b');
  await look(200);
  expect(said).toEqual(['b died']);
});

test('nobody is missed when the one leaves of whom that is known', async () => {
  const { broker, look } = setUp();
  broker.counted = 4;
  await look();
  broker.counted = 3;
  await look(200, ALL.slice(1));
  expect(broker.questions).toBe(0);
});

test('who says nothing for fifteen seconds is looked at, however many are counted', async () => {
  const { broker, clock, said, look } = setUp();
  broker.counted = 4;
  broker.gone.add('at a').add('at c');
  await look(14_999);
  expect(broker.questions).toBe(0);
  const reported = { ...ALL[2]!, reportedAt: clock.now() };
  await look(5_001, [ALL[0]!, ALL[1]!, reported]);
  expect(said).toEqual(['a died']);
});

import { randomBytes } from 'node:crypto';
import { sharedUrl } from '../../support/broker.js';
import { Member, until, type Seen } from '../../support/member.js';

const options = () => ({
  urls: [sharedUrl()],
  heartbeat: 2,
  queues: { prefix: `t${randomBytes(4).toString('hex')}_`, totalCount: 32 },
});

const level = (members: readonly Member[]): boolean => {
  const shares = members.map((member) => member.shards);
  return shares.reduce((a, b) => a + b) === 32 && Math.max(...shares) - Math.min(...shares) <= 1;
};
const shares = (members: readonly Member[]) => () => `shares level, now ${members.map((m) => m.shards).join('/')}`;

test('shares differ by at most one at rest, after joins and after a member has left', async () => {
  const river = options();
  const a = await Member.start('a', river);
  expect(a.shards).toBe(32);
  const b = await Member.start('b', river);
  await until(shares([a, b]), () => level([a, b]));
  const c = await Member.start('c', river);
  await until(shares([a, b, c]), () => level([a, b, c]));
  await b.stop();
  await until(shares([a, c]), () => level([a, c]));
  await a.stop();
  await until(shares([c]), () => c.shards === 32);
  await c.stop();
});

test('messages stay in order, none lost and none doubled, while members join and leave in good order', async () => {
  const river = options();
  const seen: Seen[] = [];
  const work = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
  const a = await Member.start('a', river, seen, work);
  let stop = false;
  let published = 0;
  const publishing = (async () => {
    for (let n = 0; !stop; n++) {
      await Promise.all(Array.from({ length: 50 }, (_, k) => a.producer.publish({ n }, { shardingKey: `k${k}` })));
      published += 50;
    }
  })();
  const b = await Member.start('b', river, seen, work);
  await until(shares([a, b]), () => level([a, b]));
  const c = await Member.start('c', river, seen, work);
  await until(shares([a, b, c]), () => level([a, b, c]));
  await b.stop();
  await until(shares([a, c]), () => level([a, c]));
  stop = true;
  await publishing;
  await until(
    () => `${published} handled, now ${seen.length}`,
    () => seen.length >= published,
  );
  const next = new Map<string, number>();
  for (const { key, n } of seen) {
    expect({ key, n }).toEqual({ key, n: next.get(key) ?? 0 });
    next.set(key, n + 1);
  }
  expect(new Set(seen.map(({ member }) => member))).toEqual(new Set(['a', 'b', 'c']));
  await a.stop();
  await c.stop();
});

test('a member owns no more shards than its limit', async () => {
  const river = options();
  const a = await Member.start('a', { ...river, maxShards: 5 });
  expect(a.shards).toBe(5);
  const b = await Member.start('b', river);
  await until(shares([a, b]), () => b.shards === 27);
  expect(a.shards).toBe(5);
  await a.stop();
  await b.stop();
});

test('the set of processes and who owns what can be read from any of them', async () => {
  const river = options();
  const a = await Member.start('a', river);
  const b = await Member.start('b', river);
  await until(shares([a, b]), () => level([a, b]));
  const processes = await b.service.processes();
  expect(processes.filter(({ self }) => self)).toHaveLength(1);
  expect(processes).toHaveLength(2);
  expect(processes.flatMap((one) => one.shards).sort((x, y) => x - y)).toEqual(Array.from({ length: 32 }, (_, i) => i));
  await a.stop();
  expect(await b.service.processes()).toEqual([expect.objectContaining({ self: true })]);
  await b.stop();
});

import { FakeClock } from '../../core/test/support/fake-clock.js';
import type { LazyChannel } from '../src/connection/lazy-channel.js';
import { settingsIn, settingsOf } from '../src/options/settings.js';
import { RestingShards } from '../src/ownership/resting-shards.js';
import { RefusedClaims } from '../src/ownership/lock/refused-claims.js';
import { Topology } from '../src/topology/topology.js';

/** Claims of shard 3 that are refused every second, and what is told of them. */
class Refusals {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  /** Who consumes the shard itself. */
  consumerCount = 0;
  readonly claims: RefusedClaims;

  constructor() {
    const topology = new Topology(settingsIn(settingsOf({ queues: { type: 'quorum' } }), 'default'), 'me');
    topology.declareShard = () => Promise.resolve({ queue: '', messageCount: 0, consumerCount: this.consumerCount });
    this.claims = new RefusedClaims({
      survey: { get: () => Promise.resolve({}) } as unknown as LazyChannel,
      topology,
      clock: this.clock,
      warnings: { warnOf: (kind, shard, text) => this.told.push(`${kind} ${shard}: ${text}`) },
    });
  }

  async refuse(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.claims.refused(3);
      await this.clock.advance(1_000);
    }
  }
}

let refusals: Refusals;

beforeEach(() => {
  refusals = new Refusals();
});

test('a shard whose lock somebody holds for 30 s without consuming it is told', async () => {
  await refusals.refuse(30);
  expect(refusals.told).toEqual([]);
  await refusals.refuse(1);
  expect(refusals.told).toEqual([
    expect.stringMatching(/^refused 3: Nobody consumes shard 3, .* lock 'mississippi_3.lock' for 30 s/),
  ]);
});

test('one whose owner consumes it is not', async () => {
  refusals.consumerCount = 1;
  await refusals.refuse(60);
  expect(refusals.told).toEqual([]);
});

test('refusals before a claim that succeeded, or long ago, do not count', async () => {
  await refusals.refuse(20);
  refusals.claims.forget(3);
  await refusals.refuse(20);
  await refusals.clock.advance(50_000);
  await refusals.refuse(20);
  expect(refusals.told).toEqual([]);
});

test('one is told that rests longer and longer between its claims', async () => {
  const { claims, clock, told } = refusals;
  const resting = new RestingShards(clock);
  for (const until = clock.now() + 90_000; clock.now() < until; await clock.advance(100)) {
    if (resting.has(3)) continue;
    await claims.refused(3);
    resting.add(3, 500);
  }
  expect(told.length).toBeGreaterThan(0);
});

test('a few refusals within a long time are of owners that came one after the other', async () => {
  for (let owners = 0; owners < 4; owners++) {
    await refusals.refuse(1);
    await refusals.clock.advance(30_000);
  }
  expect(refusals.told).toEqual([]);
});

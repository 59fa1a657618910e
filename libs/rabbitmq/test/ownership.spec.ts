import { EventEmitter } from 'node:events';
import type { Channel, Replies } from 'amqplib';
import { FakeClock } from '../../core/test/support/fake-clock.js';
import type { LazyChannel } from '../src/connection/lazy-channel.js';
import { Membership } from '../src/ownership/membership.js';
import { OpeningTrials } from '../src/ownership/opening-trials.js';
import { RareWarnings } from '../src/ownership/rare-warnings.js';
import { RestingShards } from '../src/ownership/resting-shards.js';
import type { Topology } from '../src/topology/topology.js';

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

describe('a process whose core can open no shard', () => {
  test('tries one at a time, less and less often, until one was opened', async () => {
    const trials = new OpeningTrials(clock);
    expect(trials.most).toBe(Infinity);
    for (let shard = 0; shard < 32; shard++) trials.failed(); // All of one look.
    for (const wait of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      await clock.advance(wait - 1);
      expect(trials.most).toBe(0);
      await clock.advance(1);
      expect(trials.most).toBe(1);
      trials.failed();
    }
    trials.succeeded();
    expect(trials.most).toBe(Infinity);
  });
});

test('a shard rests twice as long each time in a row, at most half a minute, and not once it works', async () => {
  const resting = new RestingShards(clock);
  for (const rest of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    resting.add(3, 500);
    await clock.advance(rest - 1);
    expect(resting.has(3)).toBe(true);
    expect(resting.shards).toEqual([3]);
    await clock.advance(1);
    expect(resting.has(3)).toBe(false);
    expect(resting.shards).toEqual([]);
  }
  resting.forget(3);
  resting.add(3, 500);
  await clock.advance(500);
  expect(resting.has(3)).toBe(false);
});

test('a warning is told at once, then every ten seconds with how often it was kept back', async () => {
  const lines: string[] = [];
  const logger = { log: () => undefined, error: () => undefined, warn: (line: string) => lines.push(line) };
  const warnings = new RareWarnings(logger, clock);
  for (let time = 0; time <= 100; time++) {
    warnings.warn('a', 'a fails');
    await clock.advance(100);
  }
  warnings.warn('b', 'b fails');
  expect(lines).toEqual(['a fails', 'a fails (and 99 more since it was last told)', 'b fails']);
});

describe('the membership', () => {
  class FakeChannel extends EventEmitter {
    readonly consumers = new Map<string, string>();
    answer: () => void = () => undefined;
    private tags = 0;

    async consume(queue: string): Promise<Replies.Consume> {
      await new Promise<void>((resolve) => (this.answer = resolve));
      const consumerTag = `tag ${this.tags++}`;
      this.consumers.set(consumerTag, queue);
      return { consumerTag };
    }

    async cancel(tag: string): Promise<void> {
      this.consumers.delete(tag);
    }
  }

  test('of a process that stops while it joins for the first time ends', async () => {
    const channel = new FakeChannel();
    const topology = {
      names: { members: 'members' },
      tags: { member: 'me' },
      declareMembers: async () => 0,
      reading: (work: unknown) => work,
    } as unknown as Topology;
    const membership = new Membership(topology, {
      get: async () => channel as unknown as Channel,
    } as unknown as LazyChannel);
    const joining = membership.join();
    await new Promise((resolve) => setImmediate(resolve));
    await membership.leave();
    channel.answer();
    await joining;
    expect(channel.consumers.size).toBe(0);
    await membership.join();
    expect(channel.consumers.size).toBe(0);
  });
});

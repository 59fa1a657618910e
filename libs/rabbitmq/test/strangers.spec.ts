import type { Channel } from 'amqplib';
import { LogLines } from '../../../test/support/log-lines.js';
import { FakeClock } from '../../core/test/support/fake-clock.js';
import { Strangers } from '../src/ownership/strangers.js';

function setUp() {
  const clock = new FakeClock();
  const logs = new LogLines();
  /** The shards whose signals are consumed. */
  const served = new Set<number>();
  const topology = {
    declareSignals: (_channel: Channel, index: number) =>
      Promise.resolve({ queue: '', messageCount: 0, consumerCount: served.has(index) ? 1 : 0 }),
  };
  const strangers = new Strangers(topology, clock, logs);
  const survey = { get: () => Promise.resolve({} as Channel) };
  /** Looks for some seconds, twice in each. */
  const look = async (taken: readonly number[], seconds: number): Promise<void> => {
    for (let times = 0; times < seconds * 2; times++) {
      await strangers.look(survey, taken);
      await clock.advance(500);
    }
  };
  return { logs, served, look };
}

test('a shard that others consume for long, but whose signals nobody does, is told once', async () => {
  const { logs, served, look } = setUp();
  served.add(2);
  await look([1, 2], 9);
  expect(logs.lines).toEqual([]);
  await look([1, 2], 60);
  expect(logs.lines).toEqual([expect.stringMatching(/^The shards 1 are consumed by somebody who answers no signals/)]);
});

test('it is told again when it comes again, or when there are more', async () => {
  const { logs, look } = setUp();
  await look([1], 30);
  await look([], 30);
  await look([1], 30);
  await look([1, 3], 30);
  expect(logs.matching(/^The shards 1 are/)).toHaveLength(2);
  expect(logs.matching(/^The shards 1, 3 are/)).toHaveLength(1);
});

test('a shard that goes from hand to hand is not suspected', async () => {
  const { logs, look } = setUp();
  for (let times = 0; times < 5; times++) {
    await look([1], 8);
    await look([], 1);
  }
  expect(logs.lines).toEqual([]);
});

import { jest } from '@jest/globals';
import { FakeClock } from '../../core/test/support/fake-clock.js';
import { LockRenewal } from '../src/ownership/lock/lock-renewal.js';
import type { Token } from '../src/ownership/lock/token-channel.js';

const INTERVAL = 10_000;
const PATIENCE = 5_000;

/** A renewal whose tokens come when they are told to. */
class Renewed {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  readonly lost: string[] = [];
  kept: Token | undefined = { id: 'kept', redelivered: false, returns: 0 };
  /** What the broker still had on its way when it was asked. */
  late: Token | undefined;
  readonly renewal: LockRenewal;

  constructor() {
    this.renewal = new LockRenewal({
      tokens: {
        giveBack: () => {
          this.log.push('give back');
          return this.kept;
        },
        roundTrip: () => {
          if (this.late !== undefined) this.renewal.came(this.late);
          return Promise.resolve();
        },
      },
      publish: () => {
        this.log.push('publish');
        return Promise.reject(new Error('the broker takes no messages'));
      },
      pace: { interval: INTERVAL, patience: PATIENCE },
      clock: this.clock,
      lost: (why) => this.lost.push(why),
    });
  }

  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(milliseconds);
  }
}

let renewed: Renewed;

beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(1); // The first time comes after a whole interval.
  renewed = new Renewed();
});

afterEach(() => {
  jest.restoreAllMocks();
});

const fresh: Token = { id: 'fresh', redelivered: false, returns: 0 };

test('a token that comes proves the lock, and the next is asked for an interval later', async () => {
  await renewed.pass(INTERVAL);
  expect(renewed.log).toEqual(['publish']);
  renewed.renewal.came(fresh);
  await renewed.pass(INTERVAL - 1);
  expect(renewed.log).toEqual(['publish']);
  await renewed.pass(1);
  expect(renewed.log).toEqual(['publish', 'publish']);
  expect(renewed.lost).toEqual([]);
});

test('where no new token comes, the kept one is given back and proves it by coming again', async () => {
  await renewed.pass(INTERVAL);
  await renewed.pass(PATIENCE);
  expect(renewed.log).toEqual(['publish', 'give back']);
  renewed.renewal.came({ id: 'kept', redelivered: true, returns: 1 });
  await renewed.pass(INTERVAL);
  expect(renewed.log).toEqual(['publish', 'give back', 'publish']);
  expect(renewed.lost).toEqual([]);
});

test('a lock whose token comes neither way is lost', async () => {
  await renewed.pass(INTERVAL);
  await renewed.pass(PATIENCE);
  expect(renewed.lost).toEqual([]);
  await renewed.pass(PATIENCE);
  expect(renewed.lost).toEqual(['no token of its lock came within 10 s']);
  await renewed.pass(10 * INTERVAL);
  expect(renewed.log).toEqual(['publish', 'give back']);
});

test('a token that came while the process stood still counts', async () => {
  renewed.late = fresh;
  await renewed.pass(INTERVAL);
  await renewed.pass(PATIENCE);
  expect(renewed.log).toEqual(['publish']);
  expect(renewed.lost).toEqual([]);
});

test.each([
  ['that nobody gave back', { id: 'kept', redelivered: true, returns: 1 }, 0],
  ['that somebody else had after it was given back', { id: 'kept', redelivered: true, returns: 2 }, PATIENCE],
  ['of somebody else', { id: 'other', redelivered: true, returns: 1 }, PATIENCE],
])('a token %s says that the lock was lost', async (_which, token, later) => {
  await renewed.pass(INTERVAL);
  await renewed.pass(later);
  renewed.renewal.came(token);
  expect(renewed.lost).toEqual(['RabbitMQ gave its lock to another process in between']);
});

test('a token that was given back once may not come again twice', async () => {
  await renewed.pass(INTERVAL);
  await renewed.pass(PATIENCE);
  renewed.renewal.came({ id: 'kept', redelivered: true, returns: 1 });
  renewed.renewal.came({ id: 'kept', redelivered: true, returns: 1 });
  expect(renewed.lost).toHaveLength(1);
});

test('a lock that was given back asks for nothing, whatever it waited for', async () => {
  await renewed.pass(INTERVAL);
  renewed.renewal.stop();
  await renewed.pass(10 * INTERVAL);
  renewed.renewal.came({ id: 'kept', redelivered: true, returns: 1 });
  expect(renewed.log).toEqual(['publish']);
  expect(renewed.lost).toEqual([]);
});

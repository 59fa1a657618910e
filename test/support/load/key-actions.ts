import type { HistoryEvent } from '@mississippi/history';
import { keysNamed } from '../workload.js';
import { Load, type LoadOptions } from './load.js';

/** What an operator does to keys under load. It throws where the action does not keep its word. */
export type Action = (options: LoadOptions) => Promise<void>;

const TROUBLED = keysNamed('troubled', 6);
/** Of each troubled key; more than half of a window, so that some of the keys wait under pressure. */
const COUNTS = [3, 20, 60, 140, 160, 400];
const isTroubled = (key: string): boolean => key.startsWith('troubled');

/** Runs something on a load of its own, and sees to it that everything comes to rest behind it. */
export async function underLoad(options: LoadOptions, act: (load: Load) => Promise<void>): Promise<void> {
  const load = await Load.start(options);
  try {
    await act(load);
    await load.finish();
  } finally {
    await load.close();
  }
}

/** The first messages of the troubled keys fail, and much waits behind them. */
async function trouble(load: Load, first = 1): Promise<void> {
  load.trouble = ({ key, seq }) => (isTroubled(key) && seq < first ? 'fails' : 'none');
  await Promise.all(TROUBLED.map((key, index) => load.publish(key, COUNTS[index]!)));
  await load.until('all of them have failed', () => TROUBLED.every((key) => failures(load, key) === 1));
}

const failures = (load: Load, key: string): number => load.count('failed', key);

const wasHandled = (load: Load, key: string, seq: number): boolean => load.history.wasHandled(`${key}#${seq}`);

/** Asks until the key waits for its next attempt. */
async function untilWaiting(load: Load, key: string): Promise<void> {
  await load.until(`${key} was attempted`, () => load.count('attempted', key) > 0);
  await load.untilAsked(`${key} waits`, async () => (await load.operator.inner.key(key))?.state === 'backoff');
}

/** Asks until something of a held key is parked. */
function untilHolds(load: Load, key: string): Promise<void> {
  return load.untilAsked(`something of ${key} is held`, async () => {
    const report = await load.operator.inner.key(key);
    return report?.parkedState === 'held' && report.parked > 0;
  });
}

/** Each retry is one attempt, at once though the next was an hour away; the mended key goes on. */
export const retry: Action = (options) =>
  underLoad({ ...options }, async (load) => {
    await trouble(load);
    const before = load.handledByOthers;
    for (let tries = 1; tries <= 3; tries++) {
      for (const key of TROUBLED) {
        await untilWaiting(load, key);
        await load.operator.retry(key);
      }
      await load.until('each was tried once', () => TROUBLED.every((key) => failures(load, key) === tries + 1));
    }
    for (const key of TROUBLED) expect(load.count('attempted', key)).toBe(4);
    load.trouble = () => 'none';
    for (const key of TROUBLED) {
      await untilWaiting(load, key);
      await load.operator.retry(key);
    }
    await load.until('they went on', () => TROUBLED.every((key, index) => wasHandled(load, key, COUNTS[index]! - 1)));
    expect(load.handledByOthers).toBeGreaterThan(before);
  });

/** The head that is named goes to the dead letters, no other; and what comes behind it has all its attempts. */
export const drop: Action = (options) =>
  underLoad({ attempts: 3, ...options }, async (load) => {
    await trouble(load, 2);
    const before = load.handledByOthers;
    for (const key of TROUBLED) {
      await untilWaiting(load, key);
      await load.operator.retry(key);
    }
    await load.until('all have failed twice', () => TROUBLED.every((key) => failures(load, key) === 2));
    await Promise.all(
      TROUBLED.map(async (key) => {
        await untilWaiting(load, key);
        await expect(load.operator.drop(key, `${key}#1`)).rejects.toMatchObject({ code: 'head_changed' });
        // More of the key comes in the same moment as its head goes.
        const [dropped] = await Promise.allSettled([load.operator.drop(key, `${key}#0`), load.publish(key, 5)]);
        expect(dropped.status).toBe('fulfilled');
      }),
    );
    expect((await load.letters()).toSorted()).toEqual(TROUBLED.map((key) => `${key}#0`));
    await load.until('the next ones have failed', () => TROUBLED.every((key) => failures(load, key) === 3));
    load.trouble = () => 'none';
    for (const key of TROUBLED) {
      await untilWaiting(load, key);
      await load.operator.retry(key);
    }
    await load.until('they went on', () => TROUBLED.every((key, index) => wasHandled(load, key, COUNTS[index]! + 4)));
    expect(await load.letters()).toHaveLength(TROUBLED.length);
    expect(load.handledByOthers).toBeGreaterThan(before);
  });

/** Asks until so much of a key is parked. */
async function untilParked(load: Load, key: string, count: number): Promise<void> {
  await load.until(`${count} of ${key} are parked`, () => load.count('parked', key) >= count);
}

/** What was parked goes to the dead letters, in order, what came since does not. */
export const dropAll: Action = (options) =>
  underLoad({ ...options }, async (load) => {
    await trouble(load);
    const before = load.handledByOthers;
    const counts = await Promise.all(
      TROUBLED.map(async (key, index) => {
        await load.operator.pause(key);
        await untilParked(load, key, COUNTS[index]!);
        const [count] = await Promise.all([load.operator.dropAll(key), load.publish(key, 30)]);
        expect(count).toBeGreaterThanOrEqual(COUNTS[index]!);
        return count;
      }),
    );
    const letters = await load.letters();
    for (const [index, key] of TROUBLED.entries()) {
      const dropped = load.publishedOf(key).slice(0, counts[index]);
      expect(letters.filter((id) => id.startsWith(`${key}#`))).toEqual(dropped);
    }
    load.trouble = () => 'none';
    for (const key of TROUBLED) {
      await load.publish(key, 1); // So that something is there to be resumed.
      await load.operator.resume(key);
    }
    await load.until('the rest went through', () => TROUBLED.every((key) => wasHandledToEnd(load, key)));
    expect(load.handledByOthers).toBeGreaterThan(before);
  });

const wasHandledToEnd = (load: Load, key: string): boolean => load.history.wasHandled(load.publishedOf(key).at(-1)!);

/** Nothing of a key that is paused starts, while the others go on; resumed it goes on where it stopped, in order. */
export const pauseAndResume: Action = (options) =>
  underLoad({ ...options }, async (load) => {
    const paused = load.keys.filter((_key, index) => index % 3 === 0);
    for (let times = 0; times < 4; times++) {
      await Promise.all(paused.map((key) => load.operator.pause(key)));
      await load.untilMore(200);
      for (const key of paused) await untilHolds(load, key);
      // One message at a time of what is held.
      const [tried] = paused as [string];
      const attempts = load.count('attempted', tried);
      await load.operator.retry(tried);
      await load.until('one was tried', () => load.count('attempted', tried) > attempts);
      await load.untilMore(100);
      expect(load.count('attempted', tried)).toBe(attempts + 1);
      await Promise.all(paused.map((key) => load.operator.resume(key)));
      await load.untilCaughtUp(paused);
    }
    for (const key of paused) expect(load.count('fed', key)).toBeGreaterThan(0);
  });

/** Nothing runs on the data updater any more when the operator is answered, and what follows starts on another. */
export const deactivate: Action = (options) =>
  underLoad({ ...options }, async (load) => {
    for (let times = 0; times < 20; times++) {
      await Promise.all(load.keys.map((key) => load.operator.deactivate(key)));
      await load.untilMore(60);
    }
    // Of those whose last message had failed there was none to end.
    expect(endedMeanwhile(load.history.events)).toBeGreaterThan(10 * load.keys.length);
  });

/** Behind how many calls a data updater of their key ended. */
function endedMeanwhile(events: readonly HistoryEvent[]): number {
  const asked = new Set<string>();
  let count = 0;
  for (const event of events) {
    if (event.type === 'asked' && event.call === 'deactivate') asked.add(event.about);
    if (event.type === 'ended' && event.callback === 'terminate' && asked.delete(event.key)) count++;
  }
  return count;
}

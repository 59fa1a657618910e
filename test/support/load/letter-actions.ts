import type { DeadLetterReport } from '@mississippi/core';
import { monotonic, type EventOf } from '@mississippi/history';
import { keysNamed } from '../workload.js';
import { underLoad, type Action } from './key-actions.js';
import { round, type Load, type LoadOptions } from './load.js';

const REFUSED = keysNamed('refused', 5);
/** Messages of each of these keys, of which every second one is discarded. */
const COUNT = 40;
const LETTERS = (REFUSED.length * COUNT) / 2;
/** Letters a second. */
const RATE = 200;

const isDiscarded = ({ key, seq }: { readonly key: string; readonly seq: number }): boolean =>
  key.startsWith('refused') && seq % 2 === 0;

/** Half of the messages of some keys are dead letters, of two types. */
async function refused(options: LoadOptions, act: (load: Load) => Promise<void>): Promise<void> {
  const typeOf = ({ seq }: { readonly seq: number }): string => (seq % 4 === 0 ? 'fourth' : 'usual');
  await underLoad({ typeOf, ...options }, async (load) => {
    load.trouble = (message) => (isDiscarded(message) ? 'discards' : 'none');
    await Promise.all(REFUSED.map((key) => load.publish(key, COUNT)));
    await load.until('all letters are there', () => load.count('deadLettered') === LETTERS);
    await act(load);
  });
}

/** The replays that were published, in their order. */
const replays = (load: Load): EventOf<'published'>[] => load.events('published').filter(({ id }) => id.includes('~'));

const originalOf = ({ id }: { readonly id: string }): string => id.split('~')[0]!;

async function letters(load: Load): Promise<readonly DeadLetterReport[]> {
  return (await load.operator.inner.deadLetters()).letters;
}

/** Each replay is of a letter that was there, in the order of the letters of its key, and all of them are handled. */
async function expectReplayed(load: Load, expected: readonly DeadLetterReport[]): Promise<void> {
  const published = replays(load);
  for (const key of REFUSED) {
    const ids = expected.filter((letter) => letter.key === key).map(({ messageId }) => messageId);
    expect(published.filter((event) => event.key === key).map(originalOf)).toEqual(ids);
  }
  await load.until('all replays are handled', () => published.every(({ id }) => load.history.wasHandled(id)));
  const left = (await letters(load)).map(({ messageId }) => messageId);
  expect(left.filter((id) => expected.some(({ messageId }) => messageId === id))).toEqual([]);
}

/** The one that is named is handled, marked, and the others stay. */
export const replayOne: Action = (options) =>
  refused(options, async (load) => {
    load.trouble = () => 'none';
    const all = await letters(load);
    const chosen = [all[3]!, all[LETTERS - 2]!];
    for (const { id } of chosen) expect(await load.operator.inner.replay({ id })).toMatchObject({ done: 1 });
    await expectReplayed(load, chosen);
    expect(await load.letters()).toHaveLength(LETTERS - 2);
  });

/** Those of the key are handled, in their order, while more of the key is published. */
export const replayKey: Action = (options) =>
  refused(options, async (load) => {
    load.trouble = () => 'none';
    const [key] = REFUSED as [string];
    const chosen = (await letters(load)).filter((letter) => letter.key === key);
    expect(chosen).toHaveLength(COUNT / 2);
    const [progress] = await Promise.all([
      load.operator.inner.replay({ key }, { rate: Infinity }),
      load.publish(key, COUNT),
    ]);
    expect(progress).toMatchObject({ done: COUNT / 2 });
    await expectReplayed(load, chosen);
    expect(await load.letters()).toHaveLength(LETTERS - COUNT / 2);
  });

/** All of a filter are replayed, no faster than was asked for; some are refused again, and the next replay has these. */
export const replayAll: Action = (options) =>
  refused(options, async (load) => {
    const isRefusedAgain = (key: string): boolean => key === REFUSED[0];
    load.trouble = (message) => (isDiscarded(message) && isRefusedAgain(message.key) ? 'discards' : 'none');
    const chosen = (await letters(load)).filter(({ type }) => type === 'fourth');
    expect(chosen).toHaveLength(LETTERS / 2);
    const before = load.handledByOthers;
    const begun = monotonic();
    const progress = await load.operator.inner.replay({ type: 'fourth' }, { rate: RATE });
    expect(progress).toMatchObject({ done: LETTERS / 2 });
    expectPaced(replays(load), begun);
    expect(load.handledByOthers).toBeGreaterThan(before);
    await load.until('some are refused again', () => load.count('deadLettered') === LETTERS + COUNT / 4);
    load.trouble = () => 'none';
    const again = (await letters(load)).filter(({ replays: times }) => times === 1);
    expect(again.map((letter) => letter.key)).toEqual(Array.from({ length: COUNT / 4 }, () => REFUSED[0]));
    await load.operator.inner.replay({ reason: 'discarded' }, { rate: Infinity });
    expect(await load.letters()).toEqual([]);
    const published = replays(load);
    await load.until('all replays are over', () => published.every(({ id }) => load.history.isFinished(id)));
    expect(published.filter(({ id }) => id.endsWith('~2'))).toHaveLength(COUNT / 4);
    expect(published).toHaveLength(LETTERS + COUNT / 4);
  });

/** No replay comes before its turn; the clock counts whole milliseconds, and timers are one early at most. */
function expectPaced(published: readonly EventOf<'published'>[], begun: number): void {
  const early = published.filter(({ mono }, index) => mono - begun < (index * 1_000) / RATE - 2);
  expect(early).toEqual([]);
}

/** Those of a filter are gone for good, and the others are there, in their order. */
export const dropLetters: Action = (options) =>
  refused(options, async (load) => {
    const [key] = REFUSED as [string];
    const all = await letters(load);
    const before = load.handledByOthers;
    const dropped = await load.operator.inner.dropDeadLetters({ key });
    expect(dropped).toMatchObject({ done: COUNT / 2 });
    const left = all.filter((letter) => letter.key !== key);
    expect(await load.letters()).toEqual(left.map(({ messageId }) => messageId));
    await load.operator.inner.dropDeadLetters({ type: 'fourth' });
    expect(await load.letters()).toEqual(left.flatMap(({ type, messageId }) => (type === 'fourth' ? [] : [messageId])));
    load.trouble = () => 'none';
    await load.untilMore(200);
    expect(load.handledByOthers).toBeGreaterThan(before);
    expect(replays(load)).toEqual([]);
  });

/**
 * Replays that were set aside with their key are handled after their shard was lost, though the process has had the same message in its
 * hands before.
 */
export const replayIntoHeld: Action = (options) =>
  refused(options, async (load) => {
    load.trouble = () => 'none';
    await load.calm(); // What is new would make the process forget what it handled.
    await load.history.untilNothingOpen();
    const chosen = await letters(load);
    // A key that is paused with nothing of it there would be free again with the next epoch.
    for (const key of REFUSED) await load.operator.pause(key);
    await load.operator.inner.replay({}, { rate: Infinity });
    await load.until('all replays are parked', () => load.count('parked') >= LETTERS);
    for (const shard of load.shards) load.lose(shard);
    await round(); // They have owners again.
    for (const key of REFUSED) await load.operator.resume(key);
    await expectReplayed(load, chosen);
  });

import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEntry } from '@mississippi/core';
import type { Applied } from '@mississippi/history';
import { upTo } from '../applied-app.js';
import { underLoad, type Action } from './key-actions.js';
import type { Load } from './load.js';

const EDITED = 'edited';
const NOTHING: Applied = { change: 0, seqs: [], marks: [] };
/** How often each of the three ways to change a state is taken. */
const TIMES = 3;

type Stored = { readonly state: Applied | undefined; readonly version: number } | undefined;

const handled = (load: Load): number => load.history.handledWhere((key) => key === EDITED);
const count = (load: Load): number => load.publishedOf(EDITED).length;

/** Publishes to the key with pauses, or each version would be gone before it could be named. Returns how to end that. */
function flow(load: Load): () => Promise<void> {
  let flows = true;
  const publishing = (async (): Promise<void> => {
    for (; flows; await delay(load.random.below(20))) {
      if (handled(load) === count(load)) await load.publish(EDITED, 1 + load.random.below(3));
    }
  })();
  return async () => {
    flows = false;
    await publishing;
  };
}

/** Looks, changes, and looks again where the state has changed meanwhile. */
async function change(load: Load, ask: (found: Stored) => Promise<void>): Promise<void> {
  for (;;) {
    const found = await load.operator.inner.state<Applied>(EDITED);
    try {
      await ask(found);
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'state_version') throw error;
    }
  }
}

const audit = async (load: Load): Promise<readonly AuditEntry[]> =>
  (await load.operator.inner.audit({ key: EDITED })).entries;

const by = (reason: string, found: Stored) => ({ version: found?.version, by: 'the test', reason });

async function edit(load: Load, reason: string): Promise<void> {
  await change(load, (found) => {
    const { change: number, seqs, marks } = found?.state ?? NOTHING;
    return load.operator.editState(EDITED, { change: number, seqs, marks: [...marks, reason] }, by(reason, found));
  });
}

async function forget(load: Load, reason: string): Promise<void> {
  await change(load, (found) => load.operator.forgetState(EDITED, { ...by(reason, found), version: found!.version }));
}

async function restore(load: Load, reason: string): Promise<void> {
  const forgotten = (await audit(load)).find(({ action }) => action === 'forgotten')!;
  await change(load, (found) => load.operator.restoreState(EDITED, forgotten.id, by(reason, found)));
}

/**
 * What an edit, a deletion, and a restoration leave, each of the version that was named: the state that was given, on which what follows has
 * its effect, once and in order. A version that is gone is refused.
 */
export const changeState: Action = (options) =>
  underLoad({ store: true, keys: 10, ...options }, async (load) => {
    const stop = flow(load);
    const before = load.handledByOthers;
    try {
      for (let times = 1; times <= TIMES; times++) {
        for (const [name, act] of Object.entries({ edit, forget, restore })) {
          await untilMoreOfIt(load);
          await refuseStale(load);
          await act(load, `${name} ${times}`);
        }
      }
      await untilMoreOfIt(load);
    } finally {
      await stop();
    }
    expect(load.handledByOthers).toBeGreaterThan(before);
    await load.until('all of it was handled', () => handled(load) === count(load));
    await edit(load, 'the last');
    expect(effects((await audit(load)).toReversed())).toEqual(upTo(count(load)));
  });

async function untilMoreOfIt(load: Load): Promise<void> {
  const before = handled(load);
  await load.until('the key goes on', () => handled(load) > before + 5);
}

async function refuseStale(load: Load): Promise<void> {
  const found = await load.operator.inner.state<Applied>(EDITED);
  const stale = { ...by('a version that is gone', found), version: found!.version - 1 };
  await expect(load.operator.editState(EDITED, NOTHING, stale)).rejects.toMatchObject({ code: 'state_version' });
}

/** Numbers of the messages that had an effect, in order; each state must go on from what was left before. */
function effects(entries: readonly AuditEntry[]): number[] {
  const seqs: number[] = [];
  const before = new Map<string, Applied>();
  let left = NOTHING;
  for (const { previous, reason } of entries) {
    const found = (previous ?? NOTHING) as Applied;
    expect(found.seqs.slice(0, left.seqs.length)).toEqual(left.seqs);
    expect(found.marks).toEqual(left.marks);
    seqs.push(...found.seqs.slice(left.seqs.length));
    before.set(reason, found);
    left = leftBy(reason, found, before);
  }
  expect(entries).toHaveLength(3 * TIMES + 1);
  return seqs;
}

/** The state that a change left, by its name and the states before it and the earlier ones. */
function leftBy(reason: string, found: Applied, before: ReadonlyMap<string, Applied>): Applied {
  if (reason.startsWith('forget')) return NOTHING;
  if (reason.startsWith('restore')) return before.get(reason.replace('restore', 'forget'))!;
  return { ...found, marks: [...found.marks, reason] };
}

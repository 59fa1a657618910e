import type { MessageRef } from '@mississippi/history';
import { Seeded } from '#support/seeded.js';
import type { ProcessPlan, Task } from './protocol.js';

/** Of a thousand messages so many cannot be read, and so many are discarded. */
const UNREADABLE = 8;
const DISCARDED = 8;

/** Of the flaky keys' hundred messages so many fail first. */
const FAILING = 25;

/** Attempts that a flaky message fails, fewer than would exhaust it. */
const MOST_FAILURES = 2;

const GARBAGE = Buffer.from('{"no json');

/** The body of a message, the same whenever it is made: what it says depends on the seed, the key and the number only. */
export function bodyOf({ key, seq }: MessageRef, plan: Pick<ProcessPlan, 'seed' | 'work'>): Uint8Array {
  const random = new Seeded(plan.seed ^ hash(`${key}#${seq}`));
  const fate = random.below(1_000);
  if (plan.work === undefined && fate < UNREADABLE) return GARBAGE;
  const task: Task = {
    key,
    seq,
    work: plan.work ?? workOf(random),
    fails: plan.work === undefined && isFlaky(key) && random.below(100) < FAILING ? 1 + random.below(MOST_FAILURES) : 0,
    discard: plan.work === undefined && fate >= 1_000 - DISCARDED,
  };
  return Buffer.from(JSON.stringify({ ...task, padding: 'x'.repeat(random.below(300)) }));
}

/** Whether a handler can read a body. */
export function isReadable(body: Uint8Array): boolean {
  return body !== GARBAGE;
}

/** Mostly some milliseconds, so that keys have a backlog; now and then so long that a hand-over must wait for it. */
export function workOf(random: Seeded): number {
  const kind = random.below(100);
  if (kind < 60) return 1 + random.below(10);
  if (kind < 97) return 20 + random.below(60);
  return 150 + random.below(150);
}

/** Every fifth key fails now and then. */
export function isFlaky(key: string): boolean {
  return Number(key.slice(1)) % 5 === 4;
}

/** FNV-1a. */
export function hash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

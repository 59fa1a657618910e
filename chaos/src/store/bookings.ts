import { Seeded } from '#support/seeded.js';
import type { ProcessPlan } from '../protocol.js';
import { hash, isFlaky, workOf } from '../tasks.js';

/**
 * How a message gets to its key: a publisher's call; a publisher's own transaction; or the handler of another key, whose
 * messages are numbered as those are that they were passed on for.
 */
export type Line = 'published' | 'enqueued';

/** A message, as its handler gets it. */
export interface Booking {
  /** Whose numbers it has: a line of this key, or of the key that passed it on. */
  readonly source: string;
  readonly seq: number;
  readonly amount: number;
  /** Milliseconds of work. */
  readonly work: number;
  /** Attempts that fail first, after all has been done. */
  readonly fails: number;
  readonly discard: boolean;
  /** The handler writes rows of its own. */
  readonly writes: boolean;
  /** The handler changes the state in place and answers nothing. */
  readonly inPlace: boolean;
  readonly pass?: { readonly to: string; readonly amount: number } | undefined;
}

type Fixed = Pick<ProcessPlan, 'seed' | 'keys' | 'store'>;

/** Of a thousand published messages so many cannot be read, and of a thousand of any line so many are discarded. */
const UNREADABLE = 8;
const DISCARDED = 8;
/** Of a hundred messages so many are passed on, and so many have rows written. */
const PASSED = 33;
const WRITTEN = 15;
/** Of the flaky keys' hundred messages so many fail first. */
const FAILING = 25;
const MOST_FAILURES = 2;
/** To so many other keys a key passes on. */
const PARTNERS = 3;
/** The share of published messages that are published again, with the same id. */
const TWICE = 15;
/** Of a hundred transactions so many are rolled back. */
const ROLLED_BACK = 15;

/** What the sources of replayed messages begin with. */
export const REPLAYED = 'replayed';

const GARBAGE = Buffer.from('{"no json');

export function sourceOf(line: Line, key: string): string {
  return `${line} ${key}`;
}

export function messageIdOf(line: Line, key: string, seq: number): string {
  return line === 'published' ? `${key}#${seq}` : `e-${key}#${seq}`;
}

/** What a message is, the same whenever it is asked for; `undefined` where it cannot be read. */
export function bookingOf(line: Line, key: string, seq: number, { seed, keys, store }: Fixed): Booking | undefined {
  const source = sourceOf(line, key);
  const random = new Seeded(seed ^ hash(`${source}#${seq}`));
  const fate = random.below(1_000);
  const amount = 1 + random.below(1_000);
  // Short enough that what the store takes counts.
  const work = Math.ceil(workOf(random) / 4);
  const fails = isFlaky(key) && random.below(100) < FAILING ? 1 + random.below(MOST_FAILURES) : 0;
  const passes = random.below(100) < PASSED;
  const partner = (Number(key.slice(1)) + 1 + random.below(PARTNERS)) % keys;
  const pass = passes && keys > PARTNERS ? { to: `k${partner}`, amount: 1 + random.below(amount) } : undefined;
  const writes = random.below(100) < WRITTEN;
  const inPlace = random.below(2) === 0;
  // An embedded process publishes what its own handler reads.
  if (line === 'published' && fate < UNREADABLE && store?.embedded !== true) return undefined;
  return { source, seq, amount, work, fails, discard: fate >= 1_000 - DISCARDED, writes, inPlace, pass };
}

/** What is passed on for a message. It is handled at once. */
export function passedOn({ source, seq, pass }: Booking): Booking | undefined {
  if (pass === undefined) return undefined;
  const rest = { work: 0, fails: 0, discard: false, writes: seq % 10 === 0, inPlace: seq % 2 === 0 };
  return { source, seq, amount: pass.amount, ...rest };
}

/** A message that was discarded, as it is replayed: mended, and with a page of its own, since it comes after later ones. */
export function replayed(key: string, seq: number, plan: Fixed): Booking {
  const booking = bookingOf('published', key, seq, plan)!;
  return { ...booking, source: `${REPLAYED} ${key}#${seq}`, fails: 0, discard: false, pass: undefined };
}

export function bodyOf(booking: Booking | undefined): Uint8Array {
  return booking === undefined ? GARBAGE : Buffer.from(JSON.stringify(booking));
}

/** Whether a message is published again, and after which time: at once, or when it is confirmed. Milliseconds. */
export function repeatOf(key: string, seq: number, { seed }: Fixed): number | undefined {
  const random = new Seeded(seed ^ hash(`again ${key}#${seq}`));
  if (random.below(100) >= TWICE) return undefined;
  return random.below(2) === 0 ? 0 : random.below(5_000);
}

/** Whether a publisher's transaction is rolled back first, with another message in it. */
export function isRolledBack(key: string, seq: number, { seed }: Fixed): boolean {
  return new Seeded(seed ^ hash(`back ${key}#${seq}`)).below(100) < ROLLED_BACK;
}

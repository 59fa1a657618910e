import { hash } from '../tasks.js';
import type { Booking } from './bookings.js';

/** The fold of the messages of one source. */
export interface Page {
  count: number;
  sum: number;
  /** Number of the last message. */
  last: number;
  /** Tells which numbers came in which order. */
  chain: number;
}

/** The state of a key. */
export interface Ledger {
  readonly pages: Record<string, Page>;
  /** Messages that came again, or too late: the first of them. */
  readonly wrong: string[];
}

const MOST_WRONG = 5;

export function emptyLedger(): Ledger {
  return { pages: {}, wrong: [] };
}

/** Enters a message, in place. */
export function enter(ledger: Ledger, { source, seq, amount }: Pick<Booking, 'source' | 'seq' | 'amount'>): void {
  const page = (ledger.pages[source] ??= { count: 0, sum: 0, last: -1, chain: 0 });
  if (seq <= page.last && ledger.wrong.length < MOST_WRONG) ledger.wrong.push(`${source}#${seq} after ${page.last}`);
  page.count++;
  page.sum += amount;
  page.last = seq;
  page.chain = hash(`${page.chain} ${seq} ${amount}`);
}

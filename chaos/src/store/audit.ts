import { encodeShardingKey } from '@mississippi/core';
import { refOfId } from '@mississippi/history';
import { bookingOf, messageIdOf, passedOn, REPLAYED, replayed, sourceOf, type Booking, type Line } from './bookings.js';
import { emptyLedger, enter, type Ledger } from './ledger.js';
import type { ProcessPlan } from '../protocol.js';

/** What is promised of a run with a store, as the report says it. */
export const STORE_PROMISES = {
  state: "states that are not the fold of a key's messages",
  repeated: 'messages that a state has again or too late',
  passedOn: 'passed-on amounts lost, doubled or out of order',
  ownRows: 'own rows that are missing',
  ownRowsTwice: 'own rows that are there twice or by nobody',
  ownTotals: 'own totals that are wrong',
  outbox: 'rows left in the outbox',
  enqueued: 'rows left in enqueued',
  queues: 'messages left in queues',
  deadLetters: 'dead letters that are missing',
  strangeLetters: 'dead letters of what was not discarded',
  frozenLong: 'successors of a frozen transaction after 10 s',
  crashed: 'processes that ended by themselves',
  stuck: 'runs that do not come to rest',
} as const;

export type StorePromised = keyof typeof STORE_PROMISES;

/** What was found, each with what it is about. */
export type Findings = Record<StorePromised, string[]>;

export function noFindings(): Findings {
  return Object.fromEntries(Object.keys(STORE_PROMISES).map((promise) => [promise, [] as string[]])) as Findings;
}

/** What the database holds at the end. */
export interface Books {
  /** By key. */
  readonly ledgers: ReadonlyMap<string, Ledger>;
  /** How often each row of a handler's own is there, by key, source and number. */
  readonly written: ReadonlyMap<string, number>;
  /** By key. */
  readonly totals: ReadonlyMap<string, number>;
  readonly outbox: number;
  readonly enqueued: number;
}

/** How many messages each key has of each line. */
export type Published = Readonly<Record<Line, ReadonlyMap<string, number>>>;

/** What all of this must have led to. */
export interface Expected {
  readonly ledgers: Map<string, Ledger>;
  readonly written: Set<string>;
  readonly totals: Map<string, number>;
  /** Ids of dead letters. */
  readonly letters: Set<string>;
  /** Messages that must have had an effect, passed-on ones among them. */
  readonly messages: number;
}

export const rowName = (key: string, source: string, seq: number): string => `${key}: ${source}#${seq}`;

/** @param replays ids of published messages that were discarded and replayed */
export function expectedOf(
  published: Published,
  plan: Pick<ProcessPlan, 'seed' | 'keys' | 'store'>,
  replays: Iterable<string> = [],
): Expected {
  const ledgers = new Map<string, Ledger>();
  const written = new Set<string>();
  const totals = new Map<string, number>();
  const letters = new Set<string>();
  let messages = 0;
  const take = (key: string, booking: Booking): void => {
    messages++;
    const ledger = ledgers.get(key) ?? emptyLedger();
    ledgers.set(key, ledger);
    enter(ledger, booking);
    if (!booking.writes) return;
    written.add(rowName(key, booking.source, booking.seq));
    totals.set(key, (totals.get(key) ?? 0) + booking.amount);
  };
  for (const line of ['published', 'enqueued'] as const) {
    for (const [key, count] of published[line]) {
      for (let seq = 0; seq < count; seq++) {
        const booking = bookingOf(line, key, seq, plan);
        if (booking === undefined || booking.discard) {
          letters.add(messageIdOf(line, key, seq));
          continue;
        }
        take(key, booking);
        const passed = passedOn(booking);
        if (passed !== undefined) take(booking.pass!.to, passed);
      }
    }
  }
  for (const id of replays) {
    const { key, seq } = refOfId(id);
    take(key, replayed(key, seq, plan));
  }
  return { ledgers, written, totals, letters, messages };
}

/** Compares what is there with what must be. Dead letters and queues are looked at by others. */
export function audit(books: Books, expected: Expected): Findings {
  const found = noFindings();
  for (const key of new Set([...books.ledgers.keys(), ...expected.ledgers.keys()])) {
    compare(key, books.ledgers.get(key) ?? emptyLedger(), expected.ledgers.get(key) ?? emptyLedger(), found);
  }
  for (const row of expected.written) if (!books.written.has(row)) found.ownRows.push(row);
  for (const [row, count] of books.written) {
    if (count > 1 || !expected.written.has(row)) found.ownRowsTwice.push(`${row}, ${count} times`);
  }
  for (const key of new Set([...books.totals.keys(), ...expected.totals.keys()])) {
    const [is, was] = [books.totals.get(key) ?? 0, expected.totals.get(key) ?? 0];
    if (is !== was) found.ownTotals.push(`${key} has ${is}, not ${was}`);
  }
  for (let row = 0; row < books.outbox; row++) found.outbox.push('a row');
  for (let row = 0; row < books.enqueued; row++) found.enqueued.push('a row');
  return found;
}

function compare(key: string, is: Ledger, must: Ledger, found: Findings): void {
  for (const text of is.wrong) found.repeated.push(`${key}: ${text}`);
  for (const source of new Set([...Object.keys(is.pages), ...Object.keys(must.pages)])) {
    const [has, wants] = [JSON.stringify(is.pages[source]), JSON.stringify(must.pages[source])];
    if (has === wants) continue;
    const own =
      source.startsWith(REPLAYED) || source === sourceOf('published', key) || source === sourceOf('enqueued', key);
    found[own ? 'state' : 'passedOn'].push(`${key}, ${source}: ${has}, not ${wants}`);
  }
}

/** The bytes of keys, as texts. */
export function keysByBytes(keys: number): Map<string, string> {
  return new Map(
    Array.from({ length: keys }, (_, n) => [Buffer.from(encodeShardingKey(`k${n}`)).toString('hex'), `k${n}`]),
  );
}

/**
 * How far below zero an account may go. Money is in cents, as integers: JSON, in which states and messages are kept, has no bigint,
 * and a number is exact up to 2^53, which is 90 trillion.
 */
export const LIMIT = -10_000;

/** The largest amount of one posting. Cents. A balance stays exact for nine million of them. */
export const MAX_CENTS = 1_000_000_000;

/** How many postings a statement holds; older ones leave it, so that a state stays small. */
export const STATEMENT_LENGTH = 1_000;

/** Where deposits come from: no account has this name. */
export const CASH = 'cash';

/** One line of an account's statement. */
export interface Posting {
  /** Unique among the transfers and deposits that the account was asked for; a credit has the id of the transfer, which the peer made. */
  id: string;
  /** A refusal is a debit that would have gone below the limit: it is noted, and changes nothing. */
  type: 'credit' | 'debit' | 'refusal';
  /** Greater than 0. */
  cents: number;
  /** The other account, or {@link CASH}. */
  peer: string;
}

/** The state of one account. */
export interface Account {
  cents: number;
  /** The last postings, in order. */
  statement: Posting[];
}

export const EMPTY: Account = { cents: 0, statement: [] };

/** The account after a posting. */
export function post(account: Account, posting: Posting): Account {
  return {
    cents: account.cents + changeOf(posting),
    statement: [...account.statement, posting].slice(-STATEMENT_LENGTH),
  };
}

/** What a posting adds to the balance. Cents. */
export function changeOf({ type, cents }: Posting): number {
  if (type === 'refusal') return 0;
  return type === 'credit' ? cents : -cents;
}

/** Whether the account itself was asked for it: the credits of others' transfers have ids of the others. */
export function wasAskedHere({ type, peer }: Posting): boolean {
  return type !== 'credit' || peer === CASH;
}

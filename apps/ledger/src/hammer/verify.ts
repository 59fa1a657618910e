import { type Account, CASH, type Posting } from '../app/account.js';
import { type Book, keyOf } from './book.js';
import { countPostings } from './count-postings.js';
import { lowestOf } from './lowest-balance.js';
import { inMoney } from './money.js';

/** What the accounts say, beside what the hammer's book says. */
export interface Verification {
  booked: number;
  refused: number;
  /** What all balances are together. Cents. */
  sum: number;
  /** The lowest balance that any account ever had. Cents. */
  lowest: number;
  /** What is wrong, in words; empty when every promise was kept. */
  faults: string[];
}

/** Holds every account against the book. */
export function verify(book: Book, accounts: ReadonlyMap<string, Account>): Verification {
  const faults: string[] = [];
  const sum = [...accounts.values()].reduce((total, { cents }) => total + cents, 0);
  if (sum !== book.total) faults.push(`all balances are ${inMoney(sum)} together, and were ${inMoney(book.total)}`);
  const lowest = Math.min(...[...accounts].map(([name, account]) => lowestOf(name, account, faults)));
  const posted = countPostings(accounts);
  for (const [key, { from, to, cents }] of book.transfers) {
    const debits = posted.take(`debit ${key} ${cents} ${from} ${to}`);
    const refusals = posted.take(`refusal ${key} ${cents} ${from} ${to}`);
    const credits = posted.take(`credit ${key} ${cents} ${to} ${from}`);
    if (debits + refusals !== 1 || credits !== debits) {
      faults.push(
        `${key} of ${inMoney(cents)} to ${to} was debited ${debits}, refused ${refusals} and credited ${credits} times`,
      );
    }
    const told = book.told.get(key);
    if (told !== undefined && (told.cents !== cents || told.status !== (debits > 0 ? 'booked' : 'refused'))) {
      faults.push(
        `the app had said that ${key} of ${inMoney(told.cents ?? 0)} was ${told.status}: it was not so for long`,
      );
    }
  }
  for (const [account, cents] of book.deposits) {
    const times = posted.take(`credit ${keyOf(account, 'opening')} ${cents} ${account} ${CASH}`);
    if (times !== 1) faults.push(`the deposit of ${account} was credited ${times} times`);
  }
  for (const [what, times] of posted.left) faults.push(`nobody asked for: ${what} (${times} times)`);
  const ofType = (wanted: Posting['type']): number =>
    [...accounts.values()].flatMap(({ statement }) => statement).filter(({ type }) => type === wanted).length;
  return { booked: ofType('debit'), refused: ofType('refusal'), sum, lowest, faults };
}

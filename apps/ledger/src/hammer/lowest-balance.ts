import { type Account, changeOf, LIMIT, STATEMENT_LENGTH } from '../app/account.js';
import { keyOf } from './book.js';
import { inMoney } from './money.js';

/**
 * Posts an account's statement once more, in its order.
 * @param faults gets what is wrong with it
 * @returns the lowest balance on the way
 */
export function lowestOf(name: string, { cents, statement }: Account, faults: string[]): number {
  if (statement.length >= STATEMENT_LENGTH) faults.push(`the statement of ${name} is full, so it cannot be verified`);
  let balance = 0;
  let lowest = 0;
  for (const posting of statement) {
    if (posting.type === 'refusal' && balance - posting.cents >= LIMIT) {
      faults.push(`${keyOf(name, posting.id)} was refused, and the account had ${inMoney(balance)}`);
    }
    balance += changeOf(posting);
    lowest = Math.min(lowest, balance);
  }
  if (balance !== cents)
    faults.push(`${name} has ${inMoney(cents)}, and its postings are ${inMoney(balance)} together`);
  if (lowest < LIMIT) faults.push(`${name} went down to ${inMoney(lowest)}, below its limit of ${inMoney(LIMIT)}`);
  return lowest;
}

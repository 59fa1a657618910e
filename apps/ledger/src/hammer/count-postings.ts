import { type Account, CASH } from '../app/account.js';
import { keyOf } from './book.js';

/** How often each posting was made; what is taken is counted no longer. */
export function countPostings(accounts: ReadonlyMap<string, Account>) {
  const left = new Map<string, number>();
  for (const [name, { statement }] of accounts) {
    for (const { id, type, cents, peer } of statement) {
      const payer = type === 'credit' && peer !== CASH ? peer : name;
      const what = `${type} ${keyOf(payer, id)} ${cents} ${name} ${peer}`;
      left.set(what, (left.get(what) ?? 0) + 1);
    }
  }
  const take = (what: string): number => {
    const times = left.get(what) ?? 0;
    left.delete(what);
    return times;
  };
  return { left, take };
}

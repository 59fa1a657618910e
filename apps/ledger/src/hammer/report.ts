import { LIMIT } from '../app/account.js';
import type { Book } from './book.js';
import { inMoney, whole } from './money.js';
import type { Verification } from './verify.js';

/** How many faults are told one by one. */
const MOST_FAULTS = 10;

export interface Run {
  book: Book;
  accounts: number;
  kills: number;
  seconds: number;
}

/** What was done. Narrow enough for 80 columns. */
export function summary({ book, accounts, kills, seconds }: Run, { booked, refused }: Verification): string {
  const { transfers, counts } = book;
  const rows: [number, string][] = [
    [booked, 'booked'],
    [refused, `refused, since the account would have gone below ${inMoney(LIMIT)}`],
    [counts.repeats, 'of them sent twice, side by side, with one key'],
    [counts.unanswered, 'requests without an answer, sent again with the same key'],
    [counts.conflicts, `with the key of another and another amount (${whole(counts.conflictsRefused)} got 422)`],
    [kills, `${kills === 1 ? 'time' : 'times'} the worker was killed with -9, and started again`],
  ];
  const lines = rows.map(([count, what]) => `${whole(count).padStart(8)}  ${what}`);
  const pace = `${seconds.toFixed(1)} s, ${whole(transfers.size / seconds)} a second`;
  return [`${whole(transfers.size)} transfers between ${whole(accounts)} accounts in ${pace}`, ...lines].join('\n');
}

/** Whether the promises were kept; where they were not, what is wrong. */
export function verdict({ book, kills }: Run, { sum, lowest, faults }: Verification): string {
  if (faults.length > 0) {
    const told = faults.slice(0, MOST_FAULTS).map((fault) => `  ${fault}`);
    const more = faults.length - told.length;
    const rest = more > 0 ? [`  and ${whole(more)} more`] : [];
    return [`NOT VERIFIED: ${whole(faults.length)} promises were broken`, ...told, ...rest].join('\n');
  }
  return [
    `Sum of all balances   ${inMoney(sum)}, as it was`,
    `Lowest balance ever   ${inMoney(lowest)}, and the limit is ${inMoney(LIMIT)}`,
    `Each transfer once    ${whole(book.transfers.size)} of ${whole(book.transfers.size)}`,
    kills === 0 ? 'VERIFIED' : `VERIFIED, though the worker was killed ${times(kills)}`,
  ].join('\n');
}

function times(count: number): string {
  return `${whole(count)} ${count === 1 ? 'time' : 'times'}`;
}

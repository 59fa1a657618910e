import { type Account, EMPTY, post, type Posting } from '../src/app/account.js';
import { Book } from '../src/hammer/book.js';
import { verify } from '../src/hammer/verify.js';

const debit: Posting = { id: 't1', type: 'debit', cents: 300, peer: 'bob' };
const credit: Posting = { id: 't1', type: 'credit', cents: 300, peer: 'ann' };
const opening: Posting = { id: 'opening', type: 'credit', cents: 1_000, peer: 'cash' };

function account(...postings: Posting[]): Account {
  return postings.reduce(post, EMPTY);
}

function check(ann: Account, bob: Account, ...more: { id: string; cents: number }[]): string[] {
  const book = new Book();
  for (const name of ['ann', 'bob']) book.deposits.set(name, 1_000);
  for (const { id, cents } of [{ id: 't1', cents: 300 }, ...more]) book.accept({ id, from: 'ann', to: 'bob', cents });
  return verify(
    book,
    new Map([
      ['ann', ann],
      ['bob', bob],
    ]),
  ).faults;
}

describe('The verification', () => {
  it('finds nothing where all is right', () => {
    expect(check(account(opening, debit), account(opening, credit))).toEqual([]);
  });

  it('takes a refusal that had to be', () => {
    const refusal: Posting = { id: 't2', type: 'refusal', cents: 20_000, peer: 'bob' };
    expect(check(account(opening, debit, refusal), account(opening, credit), { id: 't2', cents: 20_000 })).toEqual([]);
  });

  it('finds an answer that did not last', () => {
    const book = new Book();
    for (const name of ['ann', 'bob']) book.deposits.set(name, 1_000);
    book.accept({ id: 't1', from: 'ann', to: 'bob', cents: 300 });
    const accounts = new Map([
      ['ann', account(opening, debit)],
      ['bob', account(opening, credit)],
    ]);
    book.told.set('ann/t1', { id: 't1', status: 'booked', cents: 300, peer: 'bob' });
    expect(verify(book, accounts).faults).toEqual([]);
    book.told.set('ann/t1', { id: 't1', status: 'refused', cents: 300, peer: 'bob' });
    expect(verify(book, accounts).faults).toEqual([
      'the app had said that ann/t1 of 3.00 was refused: it was not so for long',
    ]);
  });

  it.each<[string, Account, Account, string]>([
    ['a lost credit', account(opening, debit), account(opening), 'debited 1, refused 0 and credited 0 times'],
    ['a doubled credit', account(opening, debit), account(opening, credit, credit), 'credited 2 times'],
    ['a doubled debit', account(opening, debit, debit), account(opening, credit), 'debited 2'],
    ['a lost transfer', account(opening), account(opening), 'debited 0, refused 0'],
    ['a lost deposit', account(debit), account(opening, credit), 'the deposit of ann was credited 0 times'],
    ['another amount', account(opening, { ...debit, cents: 301 }), account(opening, credit), 'nobody asked for'],
    [
      'a sum that changed',
      account(opening, debit),
      account(opening),
      'all balances are 17.00 together, and were 20.00',
    ],
    [
      'money from nowhere',
      account(opening, debit),
      { ...account(opening, credit), cents: 1_301 },
      'its postings are 13.00',
    ],
    ['a needless refusal', account(opening, { ...debit, type: 'refusal' }), account(opening), 'was refused, and'],
    [
      'a limit that was passed on the way',
      account({ ...debit, cents: 10_001 }, opening),
      account(opening),
      'went down to -100.01, below its limit of -100.00',
    ],
  ])('finds %s', (_name, ann, bob, fault) => {
    expect(check(ann, bob).join('\n')).toContain(fault);
  });
});

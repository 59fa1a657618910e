import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../app/account.js';
import type { Book } from './book.js';
import type { LedgerClient } from './ledger.client.js';

/** How long between two looks at the accounts. Milliseconds. */
const PAUSE = 100;
/** How many looks in a row have to see the same: when everything is there, and when something is missing. */
const STILL = 5;
const STILL_INCOMPLETE = 150;

/** The accounts' statements, once nothing moves any more. Late repeats would be seen too. */
export async function settledAccounts(client: LedgerClient, book: Book): Promise<Map<string, Account>> {
  let last = '';
  let still = 0;
  for (;;) {
    const accounts = await statements(client, book);
    const seen = JSON.stringify([...accounts.values()]);
    still = seen === last ? still + 1 : 0;
    last = seen;
    if (still >= (isComplete(accounts, book) ? STILL : STILL_INCOMPLETE)) return accounts;
    await delay(PAUSE);
  }
}

async function statements(client: LedgerClient, { deposits }: Book): Promise<Map<string, Account>> {
  const all = [...deposits.keys()].map(async (name) => [name, await client.statement(name)] as const);
  return new Map(await Promise.all(all));
}

/** Whether each transfer was posted by the payer, and by the payee where it was not refused. */
function isComplete(accounts: ReadonlyMap<string, Account>, { deposits, transfers }: Book): boolean {
  const postings = [...accounts.values()].flatMap(({ statement }) => statement);
  const count = (wanted: string): number => postings.filter(({ type }) => type === wanted).length;
  const debits = count('debit');
  return debits + count('refusal') >= transfers.size && count('credit') >= deposits.size + debits;
}

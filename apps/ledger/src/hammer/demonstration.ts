import { lastValueFrom, tap } from 'rxjs';
import { Book } from './book.js';
import { Hammer } from './hammer.js';
import { Killer } from './killer.js';
import { LedgerClient } from './ledger.client.js';
import type { Progress } from './progress.js';
import type { Run } from './report.js';
import { settledAccounts } from './settled.js';
import { makeUp } from './transfer.js';
import { type Verification, verify } from './verify.js';
import type { WorkerProcess } from './worker-process.js';

/** What each account begins with. Cents. */
const OPENING = 10_000;

/** How much is done. */
export interface Plan {
  transfers: number;
  accounts: number;
  kills: number;
  clients: number;
  /** Sets the accounts' names apart from those of other runs. */
  run: string;
  random: () => number;
}

/** Hammers and kills the worker, which is up, and verifies what it says afterwards. */
export async function demonstrate(
  plan: Plan,
  worker: Pick<WorkerProcess, 'url' | 'kill' | 'start'>,
  progress: Progress,
): Promise<{ run: Run; verification: Verification }> {
  const { transfers, kills, clients, random } = plan;
  const accounts = Array.from({ length: plan.accounts }, (_, index) => `${plan.run}-${index + 1}`);
  const book = new Book();
  const client = new LedgerClient(worker);
  const hammer = new Hammer(client, book, random, clients);
  const killer = new Killer(worker, kills, transfers);
  await hammer.open(accounts, OPENING);
  let count = 0;
  const startedAt = performance.now();
  const accepted = hammer.run(makeUp(transfers, accounts, random)).pipe(
    tap(() => {
      killer.step(++count);
      progress.show(count, killer.done);
    }),
  );
  try {
    await lastValueFrom(accepted);
  } finally {
    progress.stop();
    await killer.settled();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  book.counts.unanswered = client.unanswered;
  await settledAccounts(client, book);
  // What counts is what the store has: a process tells it that has seen nothing of all this.
  await worker.kill();
  await worker.start();
  const verification = verify(book, await settledAccounts(client, book));
  return { run: { book, accounts: accounts.length, kills: killer.done, seconds }, verification };
}

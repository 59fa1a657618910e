import { from, lastValueFrom, mergeMap, type Observable } from 'rxjs';
import { type Book, keyOf } from './book.js';
import type { Answer, LedgerClient } from './ledger.client.js';
import type { Transfer } from './transfer.js';

/** How many transfers out of 100 are sent by two clients at once, asked for, and sent again with another amount. */
const TWICE = 20;
const ASKED = 50;
const OTHERWISE = 10;

/** Many clients at once, who are not careful. */
export class Hammer {
  constructor(
    private readonly client: LedgerClient,
    private readonly book: Book,
    private readonly random: () => number,
    /** How many requests are under way. */
    private readonly clients: number,
  ) {}

  /** Gives each account its first money. */
  async open(accounts: readonly string[], cents: number): Promise<void> {
    const all = from(accounts).pipe(
      mergeMap(async (account) => {
        taken(
          await this.client.post(`accounts/${account}/deposits`, 'opening', { cents }),
          `The deposit of ${account}`,
        );
        this.book.deposits.set(account, cents);
      }, this.clients),
    );
    await lastValueFrom(all);
  }

  /** Emits each transfer that was accepted, and fails with the first that is not. */
  run(transfers: readonly Transfer[]): Observable<Transfer> {
    return from(transfers).pipe(mergeMap((transfer) => this.one(transfer), this.clients));
  }

  private async one(transfer: Transfer): Promise<Transfer> {
    const { counts } = this.book;
    const twice = this.chance(TWICE);
    const answers = await Promise.all(twice ? [this.send(transfer), this.send(transfer)] : [this.send(transfer)]);
    for (const answer of answers) taken(answer, `The transfer ${transfer.id}`);
    this.book.accept(transfer);
    if (twice) counts.repeats++;
    if (this.chance(ASKED)) await this.ask(transfer);
    if (this.chance(OTHERWISE)) {
      counts.conflicts++;
      const { status } = await this.send({ ...transfer, cents: transfer.cents + 1 });
      if (status === 422) counts.conflictsRefused++;
      else if (status !== 202) throw new Error(`The key ${transfer.id} with another amount was answered by ${status}.`);
    }
    return transfer;
  }

  private async ask({ id, from }: Transfer): Promise<void> {
    const view = await this.client.posting(from, id);
    if (view !== undefined) this.book.told.set(keyOf(from, id), view);
  }

  private send({ id, from, to, cents }: Transfer): Promise<Answer> {
    return this.client.post(`accounts/${from}/transfers`, id, { to, cents });
  }

  private chance(percent: number): boolean {
    return this.random() * 100 < percent;
  }
}

function taken({ status, body }: Answer, what: string): void {
  if (status !== 200 && status !== 202) throw new Error(`${what} was answered by ${status}: ${JSON.stringify(body)}`);
}

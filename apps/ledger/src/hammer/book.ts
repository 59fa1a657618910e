import type { PostingView } from '../app/posting-view.js';
import type { Transfer } from './transfer.js';

/** What was asked for, and what became of the asking: the hammer's own memory, which dies with nobody's worker. */
export class Book {
  /** By account. Cents. */
  readonly deposits = new Map<string, number>();
  /** Accepted, by payer and id. */
  readonly transfers = new Map<string, Transfer>();
  /** What the app said of transfers, by payer and id: whoever crashes, it may not be another afterwards. */
  readonly told = new Map<string, PostingView>();
  readonly counts = {
    /** Requests with the key and the body of another. */
    repeats: 0,
    /** Requests that were answered by nobody, or by an app that could not tell, and were sent again. */
    unanswered: 0,
    /** Requests with the key of another and another amount. */
    conflicts: 0,
    /** How many of those were refused at once. Others came before the turn of the first. */
    conflictsRefused: 0,
  };

  accept(transfer: Transfer): void {
    this.transfers.set(keyOf(transfer.from, transfer.id), transfer);
  }

  /** What accounts hold together. Cents. */
  get total(): number {
    return [...this.deposits.values()].reduce((sum, cents) => sum + cents, 0);
  }
}

/** Ids are unique for each account that pays. */
export function keyOf(from: string, id: string): string {
  return `${from}/${id}`;
}

import { Fifo } from '@mississippi/core/transport';
import type { Outstanding } from './outstanding.js';

/** Every message that is not confirmed, in order: those that were sent, and behind them those that wait. */
export class Outbox {
  private readonly sent = new Set<Outstanding>();
  private readonly waiting = new Fifo<Outstanding>();

  /** Those that were sent and are not confirmed, in order. */
  get unconfirmed(): ReadonlySet<Outstanding> {
    return this.sent;
  }

  /** Takes a message in; it waits. */
  add(outstanding: Outstanding): void {
    this.waiting.push(outstanding);
  }

  /** The next message to send, which counts as sent from now on. Those whose callers have gone are left out. */
  take(): Outstanding | undefined {
    let next = this.waiting.shift();
    while (next?.open === false) next = this.waiting.shift();
    if (next === undefined) return undefined;
    next.sent = true;
    next.returned = false;
    this.sent.add(next);
    return next;
  }

  /** A message that was taken is answered, or never will be. */
  remove(outstanding: Outstanding): void {
    this.sent.delete(outstanding);
  }

  /** A message that was taken could not be sent: it waits again, before all others. */
  untake(outstanding: Outstanding): void {
    if (this.sent.delete(outstanding)) this.waiting.unshift(outstanding);
  }

  /** Everything unconfirmed waits again, before all others and in its order. */
  putBack(): void {
    for (const outstanding of [...this.sent].toReversed()) if (outstanding.open) this.waiting.unshift(outstanding);
    this.sent.clear();
  }

  /** The last message whose caller still waits. */
  last(): Outstanding | undefined {
    let last: Outstanding | undefined;
    for (const outstanding of this) if (outstanding.open) last = outstanding;
    return last;
  }

  /** Forgets those that wait and whose callers have gone. */
  forgetGone(): void {
    this.waiting.keep(({ open }) => open);
  }

  /** Takes everything out. */
  clear(): Outstanding[] {
    const left = [...this];
    this.sent.clear();
    while (this.waiting.shift() !== undefined);
    return left;
  }

  *[Symbol.iterator](): IterableIterator<Outstanding> {
    yield* this.sent;
    yield* this.waiting;
  }
}

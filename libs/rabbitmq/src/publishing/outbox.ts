import { Fifo } from '@mississippi/core/transport';
import type { ConfirmChannel } from 'amqplib';
import type { Outstanding } from './outstanding.js';

/**
 * Every message that is not confirmed, in order: those that were sent, and behind them those that wait. A queue may be held:
 * then its messages step aside, and the others pass.
 */
export class Outbox {
  private readonly sent = new Set<Outstanding>();
  private readonly waiting = new Fifo<Outstanding>();
  /** What waits for queues that are held, by queue. It came before what `waiting` has for the same queue. */
  private readonly held = new Map<string, Fifo<Outstanding>>();

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
    for (;;) {
      const next = this.waiting.shift();
      if (next === undefined) return undefined;
      if (!next.open) continue;
      const aside = this.held.size === 0 ? undefined : this.held.get(next.message.queue);
      if (aside === undefined) {
        next.sent = true;
        next.returned = false;
        this.sent.add(next);
        return next;
      }
      aside.push(next);
    }
  }

  /** A message that was taken is answered, or never will be. */
  remove(outstanding: Outstanding): void {
    this.sent.delete(outstanding);
  }

  /** A message that was taken could not be sent: it waits again, before all others. */
  untake(outstanding: Outstanding): void {
    if (!this.sent.delete(outstanding)) return;
    outstanding.channel = undefined;
    this.waiting.unshift(outstanding);
  }

  /** Everything that is unconfirmed, of one channel or of all, waits again, before all others and in its order. */
  putBack(channel?: ConfirmChannel): void {
    const back = [...this.sent].filter((outstanding) => channel === undefined || outstanding.channel === channel);
    for (const outstanding of back.toReversed()) {
      this.sent.delete(outstanding);
      outstanding.channel = undefined;
      if (outstanding.open) this.waiting.unshift(outstanding);
    }
  }

  /** Gives nothing for this queue until it is released. */
  hold(queue: string): void {
    if (!this.held.has(queue)) this.held.set(queue, new Fifo());
  }

  /** What has stepped aside for this queue waits again, before all others and in its order. */
  release(queue: string): void {
    const aside = this.held.get(queue);
    if (aside === undefined) return;
    this.held.delete(queue);
    for (const outstanding of [...aside].toReversed()) this.waiting.unshift(outstanding);
  }

  /** The last message whose caller still waits. */
  last(): Outstanding | undefined {
    let last: Outstanding | undefined;
    for (const outstanding of this) if (outstanding.open) last = outstanding;
    return last;
  }

  /** Forgets those that wait and whose callers have gone. */
  forgetGone(): void {
    for (const waiting of [this.waiting, ...this.held.values()]) waiting.keep(({ open }) => open);
  }

  /** Takes everything out. */
  clear(): Outstanding[] {
    const left = [...this];
    this.sent.clear();
    this.held.clear();
    while (this.waiting.shift() !== undefined);
    return left;
  }

  *[Symbol.iterator](): IterableIterator<Outstanding> {
    yield* this.sent;
    for (const aside of this.held.values()) yield* aside;
    yield* this.waiting;
  }
}

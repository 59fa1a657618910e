import { Fifo } from '@mississippi/core/transport';
import type { ConfirmChannel } from 'amqplib';
import { Destination } from './destination.js';
import type { Outstanding } from './outstanding.js';

/**
 * Every message that is not confirmed, in order: those that were sent, and behind them those that wait. A queue whose messages
 * must not be sent has them step aside, and the others pass: it may be held, or have as many unconfirmed as there is room left
 * for others. So one that answers no more fills half of the room at most, and where many have filled it, each other still has
 * one message on its way.
 */
export class Outbox {
  private readonly sent = new Set<Outstanding>();
  private readonly waiting = new Fifo<Outstanding>();
  /** By the name of the queue. */
  private readonly destinations = new Map<string, Destination<Outstanding>>();
  /** Those for which something has stepped aside. */
  private readonly asides = new Set<Destination<Outstanding>>();
  /** Of these, those that may have room again. */
  private readonly relieved = new Set<Destination<Outstanding>>();
  private asideNext = false;

  /** @param most messages that may be unconfirmed at once, but for the first of each queue */
  constructor(private readonly most: number) {}

  /** Those that were sent and are not confirmed, in order. */
  get unconfirmed(): ReadonlySet<Outstanding> {
    return this.sent;
  }

  /** Takes a message in; it waits. */
  add(outstanding: Outstanding): void {
    outstanding.destination = this.destination(outstanding.message.queue);
    this.waiting.push(outstanding);
  }

  /** The next message to send, which counts as sent from now on. Those whose callers have gone are left out. */
  take(): Outstanding | undefined {
    if (this.relieved.size === 0) return this.takeWaiting();
    // In turn, so that neither those that stepped aside nor the others wait for all of the rest.
    this.asideNext = !this.asideNext;
    return this.asideNext ? (this.takeRelieved() ?? this.takeWaiting()) : (this.takeWaiting() ?? this.takeRelieved());
  }

  /** A message that was taken is answered, or never will be. */
  remove(outstanding: Outstanding): void {
    if (!this.unsend(outstanding)) return;
    const destination = outstanding.destination!;
    if (this.asides.size > 0 && this.asides.has(destination) && this.maySend(destination))
      this.relieved.add(destination);
  }

  /** A message that was taken could not be sent: it waits again, before all others. */
  untake(outstanding: Outstanding): void {
    if (!this.unsend(outstanding)) return;
    outstanding.channel = undefined;
    this.return(outstanding.destination!);
    this.waiting.unshift(outstanding);
  }

  /** Everything that is unconfirmed, of one channel or of all, waits again, before all others and in its order. */
  putBack(channel?: ConfirmChannel): void {
    const back = [...this.sent].filter((outstanding) => channel === undefined || outstanding.channel === channel);
    for (const outstanding of back.toReversed()) {
      this.unsend(outstanding);
      outstanding.channel = undefined;
      this.return(outstanding.destination!);
      if (outstanding.open) this.waiting.unshift(outstanding);
    }
  }

  /** Gives nothing for this queue until it is released. */
  hold(queue: string): void {
    this.destination(queue).held = true;
  }

  /** What has stepped aside for this queue waits again, before all others and in its order. */
  release(queue: string): void {
    const destination = this.destination(queue);
    if (!destination.held) return;
    destination.held = false;
    this.return(destination);
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
    for (const { aside } of this.asides) aside.keep(({ open }) => open);
  }

  /** Takes everything out. */
  clear(): Outstanding[] {
    const left = [...this];
    for (const kept of [this.sent, this.destinations, this.asides, this.relieved]) kept.clear();
    while (this.waiting.shift() !== undefined);
    return left;
  }

  *[Symbol.iterator](): IterableIterator<Outstanding> {
    yield* this.sent;
    for (const { aside } of this.asides) yield* aside;
    yield* this.waiting;
  }

  /** There are as many as there are queues, and each stays. */
  private destination(queue: string): Destination<Outstanding> {
    let destination = this.destinations.get(queue);
    if (destination === undefined) this.destinations.set(queue, (destination = new Destination<Outstanding>()));
    return destination;
  }

  private takeWaiting(): Outstanding | undefined {
    for (;;) {
      const next = this.waiting.shift();
      if (next === undefined) return undefined;
      if (!next.open) continue;
      const destination = next.destination!;
      const isAside = this.asides.size > 0 && this.asides.has(destination);
      if (!isAside && this.maySend(destination)) return this.send(next, destination);
      this.asides.add(destination);
      destination.aside.push(next);
    }
  }

  private takeRelieved(): Outstanding | undefined {
    for (const destination of this.relieved) {
      const next = this.takeAside(destination);
      if (next === undefined) continue;
      if (this.relieved.delete(destination)) this.relieved.add(destination); // The next time it is another's turn.
      return next;
    }
    return undefined;
  }

  private takeAside(destination: Destination<Outstanding>): Outstanding | undefined {
    const { aside } = destination;
    while (this.maySend(destination)) {
      const next = aside.shift();
      if (next === undefined) {
        this.asides.delete(destination);
        break;
      }
      if (next.open) return this.send(next, destination);
    }
    this.relieved.delete(destination);
    return undefined;
  }

  private maySend({ held, sent }: Destination<Outstanding>): boolean {
    return !held && (sent === 0 || sent < this.most - this.sent.size);
  }

  /** What has stepped aside for a queue waits again, before all others and in its order. */
  private return(destination: Destination<Outstanding>): void {
    if (destination.held || !this.asides.delete(destination)) return;
    this.relieved.delete(destination);
    const items: Outstanding[] = [];
    for (let next = destination.aside.shift(); next !== undefined; next = destination.aside.shift()) items.push(next);
    for (const outstanding of items.toReversed()) this.waiting.unshift(outstanding);
  }

  private send(outstanding: Outstanding, destination: Destination<Outstanding>): Outstanding {
    outstanding.sent = true;
    outstanding.returned = false;
    destination.sent++;
    this.sent.add(outstanding);
    return outstanding;
  }

  /** Returns whether it counted as sent. */
  private unsend(outstanding: Outstanding): boolean {
    if (!this.sent.delete(outstanding)) return false;
    outstanding.destination!.sent--;
    return true;
  }
}

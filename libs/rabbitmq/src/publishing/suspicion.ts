import type { ConfirmChannel } from 'amqplib';
import type { Outbox } from './outbox.js';
import type { Outstanding } from './outstanding.js';

/** By how much fewer messages may be on the way after the broker has closed the channel over one of them. */
const NARROWER = 8;
/** By how much more after as many were confirmed. */
const WIDER = 2;
/** So often the broker must close the channel over a message that is alone on it. */
const PROVEN = 2;
/** A limit above is none. */
const NO_LIMIT = 10_000;

/**
 * Finds the message over which the broker closes the channel, or the connection, again and again: it does not tell which it
 * is. Each time fewer are on the way, until one is alone.
 */
export class Suspicion {
  private limit = Infinity;
  private good = 0;

  constructor(private readonly outbox: Outbox) {}

  /** How many messages may be on the way at once. */
  get most(): number {
    return this.limit;
  }

  /**
   * The broker has closed a channel, or all with their connection, and said why. Returns the message over which it does, once
   * that is certain.
   */
  closed(channel?: ConfirmChannel): Outstanding | undefined {
    const suspects = [...this.outbox.unconfirmed].filter((one) => channel === undefined || one.channel === channel);
    const [first] = suspects;
    if (first === undefined) return undefined;
    this.good = 0;
    this.limit = Math.max(1, Math.floor(suspects.length / NARROWER));
    if (suspects.length > 1 || ++first.closedAlone < PROVEN) return undefined;
    return first;
  }

  /** The broker has closed a channel for want of a right. Returns the message over which it did, if that was alone on it. */
  denied(channel: ConfirmChannel): Outstanding | undefined {
    const suspects = [...this.outbox.unconfirmed].filter((one) => one.channel === channel);
    this.good = 0;
    this.limit = 1;
    return suspects.length === 1 ? suspects[0] : undefined;
  }

  /** A message is answered. */
  answered(): void {
    if (this.limit === Infinity || ++this.good < this.limit) return;
    this.good = 0;
    this.limit *= WIDER;
    if (this.limit > NO_LIMIT) this.limit = Infinity;
  }
}

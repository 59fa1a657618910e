import { Fifo } from '../../collections/fifo.js';
import type { MemoryMessage } from './memory-message.js';

/** Whoever takes the queue's messages at present. */
export interface Taker {
  /** There may be something to take. */
  look(): void;
}

/** The queue of one shard: what waits, and what was taken and is not settled. */
export class ShardQueue {
  taker: Taker | undefined;
  ready = new Fifo<MemoryMessage>();
  /** In the order in which they were taken, which a Set keeps. */
  readonly unsettled = new Set<MemoryMessage>();

  append(message: MemoryMessage): void {
    this.ready.push(message);
    this.taker?.look();
  }

  /** The next message, which counts as unsettled from now on. */
  take(): MemoryMessage | undefined {
    const message = this.ready.shift();
    if (message !== undefined) this.unsettled.add(message);
    return message;
  }

  /** Removes a message for good. Returns whether it was there. */
  settle(message: MemoryMessage): boolean {
    return this.unsettled.delete(message);
  }

  /** Puts what was taken and not settled back in front, in the original order. */
  returnUnsettled(): void {
    const ready = new Fifo<MemoryMessage>();
    for (const message of this.unsettled) {
      message.redelivered = true;
      ready.push(message);
    }
    this.unsettled.clear();
    for (let message = this.ready.shift(); message !== undefined; message = this.ready.shift()) ready.push(message);
    this.ready = ready;
  }
}

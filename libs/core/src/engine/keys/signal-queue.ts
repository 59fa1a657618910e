import { Fifo } from '../base/fifo.js';
import type { PendingSignal } from './pending-signal.js';

/** The signals that wait for their turn at one key, in order. */
export class SignalQueue {
  private readonly fifo = new Fifo<PendingSignal>();
  private wanted = 0;

  /** How many still have a caller who waits. */
  get length(): number {
    return this.wanted;
  }

  push(signal: PendingSignal): void {
    this.fifo.push(signal);
    this.wanted++;
  }

  /** The first whose caller still waits. */
  take(): PendingSignal {
    let signal = this.fifo.shift()!;
    while (!signal.awaited) signal = this.fifo.shift()!;
    signal.leaveQueue();
    this.wanted--;
    return signal;
  }

  /** The caller of one that is here waits no more. */
  givenUp(): void {
    this.wanted--;
    // What nobody waits for is kept only until what stands before it is gone.
    while (this.fifo.peek()?.awaited === false) this.fifo.shift();
  }

  rejectAll(error: Error): void {
    for (let signal = this.fifo.shift(); signal !== undefined; signal = this.fifo.shift()) {
      signal.leaveQueue();
      signal.reject(error);
    }
    this.wanted = 0;
  }
}

import { Fifo } from '../../collections/fifo.js';
import type { PendingSignal, SignalHolder } from './pending-signal.js';

/** Whose signals wait. */
export interface SignalledKey {
  /** A caller no longer waits. */
  signalGivenUp(): void;
}

/** The signals that wait for their turn at one key, in order. */
export class SignalQueue implements SignalHolder {
  private readonly fifo = new Fifo<PendingSignal>();
  private wanted = 0;

  constructor(private readonly key: SignalledKey) {}

  /** How many still have a caller who waits. */
  get length(): number {
    return this.wanted;
  }

  push(signal: PendingSignal): void {
    signal.holder = this;
    this.fifo.push(signal);
    this.wanted++;
  }

  /** The first whose caller still waits. */
  take(): PendingSignal {
    let signal = this.fifo.shift()!;
    while (!signal.awaited) signal = this.fifo.shift()!;
    signal.holder = undefined;
    this.wanted--;
    return signal;
  }

  givenUp(): void {
    this.wanted--;
    // A signal without a caller is dropped once it is first in line.
    while (this.fifo.peek()?.awaited === false) this.fifo.shift();
    this.key.signalGivenUp();
  }

  rejectAll(error: Error): void {
    for (let signal = this.fifo.shift(); signal !== undefined; signal = this.fifo.shift()) {
      signal.holder = undefined;
      signal.reject(error);
    }
    this.wanted = 0;
  }
}

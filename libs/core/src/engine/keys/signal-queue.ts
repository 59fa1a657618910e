import type { PendingSignal, SignalHolder } from './pending-signal.js';

/** Whose signals wait. */
export interface SignalledKey {
  /** A caller no longer waits. */
  signalGivenUp(): void;
}

/**
 * The signals that wait for their turn at one key, in order. One whose caller waits no longer leaves at once, from
 * wherever it is, and takes what it holds with it.
 */
export class SignalQueue implements SignalHolder {
  private first: PendingSignal | undefined;
  private last: PendingSignal | undefined;
  private count = 0;

  constructor(private readonly key: SignalledKey) {}

  get length(): number {
    return this.count;
  }

  push(signal: PendingSignal): void {
    signal.holder = this;
    signal.earlier = this.last;
    if (this.last === undefined) this.first = signal;
    else this.last.later = signal;
    this.last = signal;
    this.count++;
  }

  take(): PendingSignal {
    const signal = this.first!;
    this.remove(signal);
    return signal;
  }

  givenUp(signal: PendingSignal): void {
    this.remove(signal);
    this.key.signalGivenUp();
  }

  rejectAll(error: Error): void {
    while (this.first !== undefined) this.take().reject(error);
  }

  private remove(signal: PendingSignal): void {
    const { earlier, later } = signal;
    if (earlier === undefined) this.first = later;
    else earlier.later = later;
    if (later === undefined) this.last = earlier;
    else later.earlier = earlier;
    signal.earlier = undefined;
    signal.later = undefined;
    signal.holder = undefined;
    this.count--;
  }
}

import type { Timer } from '../../clock/clock.interface.js';
import type { Caller } from '../base/caller.js';

/**
 * What is asked for: `signal` calls the handler, `start` the start of the data updater, `forget` the end of what is stored of the key,
 * `deactivate` the end of the data updater, `edit` an operator's change of the stored state.
 */
export type SignalPurpose = 'signal' | 'start' | 'forget' | 'deactivate' | 'edit';

/** Where signals wait. */
export interface SignalHolder {
  /** The caller of one that is here no longer waits. */
  givenUp(signal: PendingSignal): void;
}

/** When the caller of a signal stops waiting. */
export interface Expiry {
  /** On the engine's clock. */
  readonly at: number;
  readonly timer: Timer;
  expire(): void;
}

/** A request that waits for its turn at a key. */
export class PendingSignal {
  /** Its neighbours, while it waits for its turn. */
  earlier: PendingSignal | undefined = undefined;
  later: PendingSignal | undefined = undefined;
  /** Where it waits for its turn, while it waits. */
  holder: SignalHolder | undefined = undefined;
  private expiry: Expiry | undefined = undefined;
  private open = true;
  private begun = false;

  constructor(
    readonly purpose: SignalPurpose,
    /** Encoded; `undefined` for a signal that is `undefined`. */
    readonly signal: Uint8Array | undefined,
    readonly caller: Caller,
    private readonly onAnswer: (value: unknown) => void,
    private readonly onError: (error: unknown) => void,
    private readonly onStart?: () => void,
    /** Of the signal, where it has one. */
    readonly name?: string | undefined,
  ) {}

  /** Whether the handler has seen it. */
  get started(): boolean {
    return this.begun;
  }

  start(): void {
    this.begun = true;
    this.onStart?.();
  }

  /** Whether somebody still waits for the answer. */
  get awaited(): boolean {
    return this.open;
  }

  expires(expiry: Expiry): void {
    this.expiry = expiry;
  }

  /** Ends it where its time is up: the timer is late where a callback kept the event loop busy. */
  checkTime(now: number): void {
    if (this.expiry !== undefined && this.expiry.at <= now) this.expiry.expire();
  }

  /** Whether its time can run out. */
  get mayExpire(): boolean {
    return this.expiry !== undefined;
  }

  answer(value: unknown): void {
    if (this.close()) this.onAnswer(value);
  }

  reject(error: unknown): void {
    if (this.close()) this.onError(error);
  }

  private close(): boolean {
    if (!this.open) return false;
    this.open = false;
    this.expiry?.timer.cancel();
    this.holder?.givenUp(this);
    return true;
  }
}

import type { Timer } from '../../clock/clock.interface.js';
import type { FifoItem } from '../../collections/fifo.js';
import type { Caller } from '../base/caller.js';

/** Where signals wait. */
export interface SignalHolder {
  /** The caller of one that is here no longer waits. */
  givenUp(): void;
}

/** A request that waits for its turn at a key: a signal, or a request that the data updater be started. */
export class PendingSignal implements FifoItem<PendingSignal> {
  next: PendingSignal | undefined = undefined;
  /** Where it waits for its turn, while it waits. */
  holder: SignalHolder | undefined = undefined;
  private timer: Timer | undefined = undefined;
  private open = true;
  private begun = false;

  constructor(
    /** `false` asks for the start of the data updater and nothing else. */
    readonly callsHandler: boolean,
    /** Encoded; `undefined` for a signal that is `undefined`. */
    readonly signal: Uint8Array | undefined,
    readonly caller: Caller,
    private readonly onAnswer: (value: unknown) => void,
    private readonly onError: (error: unknown) => void,
    private readonly onStart?: () => void,
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

  expires(timer: Timer): void {
    this.timer = timer;
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
    this.timer?.cancel();
    this.holder?.givenUp();
    return true;
  }
}

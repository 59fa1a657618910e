/** Answers that another attempt may change, though the request is said to be at fault: time-out, too early, too many. */
const PASSING = new Set([408, 425, 429]);

/** A receiver did not take a webhook. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    readonly status: number,
    /** Milliseconds after which it wants to be asked again, where it says. */
    readonly retryAfter?: number,
  ) {
    super(`the receiver answered ${status}`);
  }

  /** Whether it would refuse the same webhook again. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && !PASSING.has(this.status);
  }
}

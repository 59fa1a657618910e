import type { Clock, Timer } from '@mississippi/core';

/** As it was when this file was loaded: a test runner's fake timers must not stop what waits for the event loop. */
const { setImmediate } = globalThis;

/** Rounds of the event loop in which nothing new may come before everything counts as having come to rest. */
const QUIET_ROUNDS = 3;

/** How often timers may set timers for the same moment before it is an endless loop. */
const MOST_AT_ONCE = 300;

/** Time cannot pass, since timers go on setting timers for the same moment. */
export class StandstillError extends Error {
  override readonly name = 'StandstillError';

  constructor(now: number) {
    super(
      `Time cannot pass beyond ${now} ms: timers have set others for the same moment ${MOST_AT_ONCE} times in a row. Something is repeated without a delay, such as a retry whose backoff is 0.`,
    );
  }
}

/** @throws {RangeError} when time cannot pass by so much */
export function checkDuration(milliseconds: number): void {
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return;
  throw new RangeError(`Time passes by a finite number of milliseconds from 0 on, not by ${milliseconds}.`);
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * Time for tests: it stands still until it is advanced. It is the `Clock` of an instance and of its transport and store; timers
 * of your own code are not on it.
 * @publicApi
 */
export class FakeClock implements Clock {
  private passed = 0;
  private order = 0;
  private entries: Entry[] = [];

  now(): number {
    return this.passed;
  }

  /** Unix time: the clock was started on 1 January 2026. Milliseconds. */
  time(): number {
    return Date.UTC(2026, 0) + this.passed;
  }

  after(delay: number, callback: () => void): Timer {
    const entry = { at: this.passed + delay, order: this.order++, callback };
    this.entries.push(entry);
    return { cancel: () => void (this.entries = this.entries.filter((other) => other !== entry)) };
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.entries.length;
  }

  /** When the next timer is due, as {@link now} counts; `undefined` without one. */
  get next(): number | undefined {
    return this.entries.length === 0 ? undefined : Math.min(...this.entries.map((entry) => entry.at));
  }

  /**
   * Lets time pass. What a timer sets off has come to rest before the next one fires.
   * @param rest resolves when that is so; default {@link settled}
   * @throws {RangeError} when it is negative or not finite
   * @throws when timers set others for the same moment without end
   */
  async advance(milliseconds: number, rest: () => Promise<unknown> = settled): Promise<void> {
    checkDuration(milliseconds);
    const end = this.passed + milliseconds;
    let [fresh, rounds] = [this.order, 0];
    await rest();
    for (;;) {
      const due = this.entries.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      if (due.at > this.passed) [fresh, rounds] = [this.order, 0];
      else if (due.order >= fresh) [fresh, rounds] = [this.order, rounds + 1];
      if (rounds > MOST_AT_ONCE) throw new StandstillError(this.passed);
      this.entries = this.entries.filter((entry) => entry !== due);
      this.passed = Math.max(this.passed, due.at);
      due.callback();
      await rest();
    }
    this.passed = end;
    await rest();
  }
}

/** Resolves when every microtask, and everything that was set off by one, has run. */
export async function settled(): Promise<void> {
  for (let round = 0; round < QUIET_ROUNDS; round++) await new Promise((resolve) => setImmediate(resolve));
}

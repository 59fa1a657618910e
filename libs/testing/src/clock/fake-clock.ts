import type { Clock, Timer } from '@mississippi/core';

/** As it was when this file was loaded: a test runner's fake timers must not stop what waits for the event loop. */
const { setImmediate } = globalThis;

/** Rounds of the event loop in which nothing new may come before everything counts as having come to rest. */
const QUIET_ROUNDS = 3;

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
   */
  async advance(milliseconds: number, rest: () => Promise<unknown> = settled): Promise<void> {
    const end = this.passed + milliseconds;
    await rest();
    for (;;) {
      const due = this.entries.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
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

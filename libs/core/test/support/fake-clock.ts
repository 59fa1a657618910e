import type { Clock, Timer } from '../../src/clock/clock.interface.js';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** The one driver of time in tests: it stands still until it is advanced. */
export class FakeClock implements Clock {
  private passed = 0;
  private order = 0;
  private entries: Entry[] = [];

  now(): number {
    return this.passed;
  }

  /** Unix time: the clock was started on 1 January 2026. */
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

  /** When the next timer is due; `undefined` without one. */
  get next(): number | undefined {
    return this.entries.length === 0 ? undefined : Math.min(...this.entries.map((entry) => entry.at));
  }

  /** Lets time pass. What a timer sets off has come to rest before the next one fires. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.passed + milliseconds;
    await settled();
    for (;;) {
      const due = this.entries.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.entries = this.entries.filter((entry) => entry !== due);
      this.passed = Math.max(this.passed, due.at);
      due.callback();
      await settled();
    }
    this.passed = end;
    await settled();
  }
}

/** Resolves when every microtask, and everything that was set off by one, has run. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}

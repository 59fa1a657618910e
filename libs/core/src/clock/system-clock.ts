import type { Clock, Timer } from './clock.interface.js';

/** The longest delay that setTimeout takes; a longer one fires at once (Node.js docs, timers). Milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** A delay of any length, in steps that setTimeout takes. An infinite one never ends, but keeps the process all the same. */
class LongTimer implements Timer {
  private timeout: NodeJS.Timeout | undefined;

  constructor(
    private left: number,
    private readonly callback: () => void,
    private readonly background: boolean,
  ) {
    this.step();
  }

  cancel(): void {
    clearTimeout(this.timeout);
  }

  private step(): void {
    const delay = Math.min(this.left, LONGEST_TIMEOUT);
    this.left -= delay;
    this.timeout = setTimeout(() => (this.left > 0 ? this.step() : this.callback()), delay);
    if (this.background) this.timeout.unref();
  }
}

/**
 * The clock of the machine.
 * @publicApi
 */
export const systemClock: Clock = {
  now: () => Math.floor(performance.now()),
  time: () => Date.now(),
  after(delay, callback, background = false) {
    if (delay > LONGEST_TIMEOUT) return new LongTimer(delay, callback, background);
    const timeout = setTimeout(callback, delay);
    if (background) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  soon: (callback) => void setImmediate(callback),
};

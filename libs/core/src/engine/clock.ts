/** Time as the engine knows it. Tests drive one of their own. */
export interface Clock {
  /**
   * Whole milliseconds; only differences mean something. Whole, because a field that holds a small integer costs nothing
   * to set, while V8 allocates for any other number.
   */
  now(): number;
  /**
   * Calls back once after `delay` milliseconds.
   * @param background whether the process may end before; otherwise work is pending that must not be left behind
   */
  after(delay: number, callback: () => void, background?: boolean): Timer;
  /** Calls back when the event loop has served its input and output. */
  soon(callback: () => void): void;
}

export interface Timer {
  cancel(): void;
}

/** The longest delay that setTimeout takes; a longer one fires at once (Node.js docs, timers). */
export const LONGEST_TIMEOUT = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Math.floor(performance.now()),
  after(delay, callback, background = false) {
    const timer = setTimeout(callback, Math.min(delay, LONGEST_TIMEOUT));
    if (background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (callback) => void setImmediate(callback),
};

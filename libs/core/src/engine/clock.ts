/** Time as the engine knows it. Tests drive one of their own. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls back once after `delay` milliseconds. The timer does not keep the process alive. */
  after(delay: number, callback: () => void): Timer;
  /** Calls back when the event loop has served its input and output. */
  soon(callback: () => void): void;
}

export interface Timer {
  cancel(): void;
}

/** The longest delay that setTimeout takes; a longer one fires at once (Node.js docs, timers). */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, Math.min(delay, LONGEST_TIMEOUT));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (callback) => void setImmediate(callback),
};

/**
 * Time as an instance of the module and its transport know it. Replace it in tests by the token
 * `MISSISSIPPI_CLOCK`.
 * @publicApi
 */
export interface Clock {
  /**
   * A monotonic reading in whole milliseconds; only differences mean something. Whole, because a field that holds a small
   * integer costs nothing to set, while V8 allocates for any other number.
   */
  now(): number;
  /** Unix time in whole milliseconds, for what people and other processes read. */
  time(): number;
  /**
   * Calls back once.
   * @param delay milliseconds; any number, `Infinity` too, which never calls
   * @param background whether the process may end before; otherwise work is pending that must not be left behind, and the
   * timer keeps the process until it calls or is cancelled: for ever, where `delay` is `Infinity`
   */
  after(delay: number, callback: () => void, background?: boolean): Timer;
  /** Calls back when the event loop has served its input and output. */
  soon(callback: () => void): void;
}

/** @publicApi */
export interface Timer {
  /** Does nothing when the timer has called back or was cancelled before. */
  cancel(): void;
}

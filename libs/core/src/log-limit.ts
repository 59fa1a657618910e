import type { Clock } from './clock/clock.interface.js';

/** How often one cause of trouble is told in the log, at most. Milliseconds. */
const INTERVAL = 10_000;

/**
 * Keeps one cause of trouble from flooding the log: it is told once in ten seconds at most, with how often it was not.
 * @publicApi
 */
export class LogLimit {
  private toldAt = -Infinity;
  private untold = 0;

  constructor(private readonly clock: Clock) {}

  /**
   * Calls `tell` if it is time to.
   * @param tell gets what to append to its line, and how often the same was left untold
   */
  tell(tell: (more: string, untold: number | undefined) => void): void {
    const now = this.clock.now();
    if (now - this.toldAt < INTERVAL) {
      this.untold++;
      return;
    }
    const { untold } = this;
    this.toldAt = now;
    this.untold = 0;
    if (untold === 0) tell('', undefined);
    else tell(` (and ${untold} more since the last such line)`, untold);
  }
}

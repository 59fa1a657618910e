import type { Clock } from '../../clock/clock.interface.js';

/** How often one cause of trouble is told in the log, at most. Milliseconds. */
const INTERVAL = 10_000;

/** Keeps one cause of trouble from flooding the log: it is told once in a while, with how often it was not. */
export class LogLimit {
  private toldAt = -Infinity;
  private untold = 0;

  constructor(private readonly clock: Clock) {}

  /**
   * Calls `tell` if it is time to.
   * @param tell gets what to append to its line: how often the same was left untold, or nothing
   */
  tell(tell: (more: string) => void): void {
    const now = this.clock.now();
    if (now - this.toldAt < INTERVAL) {
      this.untold++;
      return;
    }
    const more = this.untold === 0 ? '' : ` (and ${this.untold} more since the last such line)`;
    this.toldAt = now;
    this.untold = 0;
    tell(more);
  }
}

/** The stack of an error with those of its causes, for a logger; `undefined` where there is none. */
export function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const cause = error.cause instanceof Error ? stackOf(error.cause) : undefined;
  return cause === undefined ? error.stack : `${error.stack}\nCaused by: ${cause}`;
}

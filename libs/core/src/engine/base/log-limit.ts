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

/** How many causes of an error are shown. */
const MOST_CAUSES = 3;

/** The stack of an error with those of its causes, for a logger; `undefined` where there is none. It never throws. */
export function stackOf(error: unknown): string | undefined {
  const stacks: string[] = [];
  try {
    for (let at = error; at instanceof Error && stacks.length <= MOST_CAUSES; at = at.cause) {
      if (typeof at.stack === 'string') stacks.push(at.stack);
    }
  } catch {
    // A getter of it threw: what was found so far has to do.
  }
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by: ');
}

/** As they were when this file was loaded: a test runner's fake timers must not stop what waits for the event loop. */
const { setImmediate, setTimeout, clearTimeout, performance } = globalThis;

/** Rounds of the event loop without news after which nothing more is on its way. */
const QUIET_ROUNDS = 4;

/** Knows that something happens, whatever it is, so that those who wait for rest look then and at no other time. */
export class Activity {
  private news = 0;
  private readonly waiting = new Set<() => void>();

  /** Something has happened. */
  touch(): void {
    this.news++;
    for (const look of this.waiting) look();
  }

  /**
   * Resolves when the event loop brings nothing new and nothing is under way.
   * @param active whether something is under way that will end by itself
   * @param within real milliseconds
   * @returns whether it came to that in time
   */
  async rest(active: () => boolean, within: number): Promise<boolean> {
    const end = performance.now() + within;
    for (;;) {
      if (!(await this.quiet(end))) return false;
      if (!active()) return true;
      if (!(await this.touched(end))) return false;
    }
  }

  private async quiet(end: number): Promise<boolean> {
    let seen = this.news;
    for (let round = 0; round < QUIET_ROUNDS; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (performance.now() > end && this.news !== seen) return false;
      if (this.news === seen) continue;
      seen = this.news;
      round = -1;
    }
    return true;
  }

  private touched(end: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (inTime: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(inTime);
      };
      const look = (): void => finish(true);
      const timer = setTimeout(() => finish(false), Math.max(0, end - performance.now()));
      this.waiting.add(look);
    });
  }
}

import type { Clock } from '../../clock/clock.interface.js';

/** Lets so many through in a second. */
export class Pace {
  private readonly begun: number;
  private count = 0;

  /** @param rate how many a second; `Infinity` for no limit */
  constructor(
    private readonly clock: Clock,
    private readonly rate: number,
  ) {
    this.begun = clock.now();
  }

  /** Resolves when it is the next one's turn. */
  async turn(): Promise<void> {
    const due = this.begun + (this.count++ * 1_000) / this.rate;
    const wait = due - this.clock.now();
    if (wait > 0) await new Promise<void>((resolve) => this.clock.after(wait, resolve));
  }
}

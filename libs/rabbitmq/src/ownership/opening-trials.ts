import type { Clock } from '@mississippi/core/transport';

/** How long this process opens nothing after a failure, the first time in a row, and at most. Milliseconds. */
const FIRST = 2_000;
const LONGEST = 30_000;

/**
 * Whether the core can open shards at all. When its store is away every opening fails, here and not elsewhere; others would
 * hand over shard after shard in vain. So after a failure nothing is claimed for a while, and then one shard, as a trial.
 */
export class OpeningTrials {
  private failures = 0;
  private until = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** How many more shards may be claimed at present. */
  get most(): number {
    if (this.failures === 0) return Infinity;
    return this.clock.now() < this.until ? 0 : 1;
  }

  failed(): void {
    const now = this.clock.now();
    if (now < this.until) return; // Of the same trial.
    this.until = now + Math.min(LONGEST, FIRST * 2 ** this.failures);
    this.failures++;
  }

  succeeded(): void {
    this.failures = 0;
    this.until = -Infinity;
  }
}

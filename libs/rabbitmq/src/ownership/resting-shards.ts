import type { Clock } from '@mississippi/core/transport';

/** The longest rest. Milliseconds. */
const LONGEST = 30_000;

/** Shards that could not be declared, claimed or opened here: each is left alone for a while, twice as long each time. */
export class RestingShards {
  private readonly rests = new Map<number, { failures: number; until: number }>();

  constructor(private readonly clock: Clock) {}

  /** Those that rest at present. */
  get shards(): number[] {
    return [...this.rests.keys()].filter((shard) => this.has(shard));
  }

  has(shard: number): boolean {
    const rest = this.rests.get(shard);
    return rest !== undefined && rest.until > this.clock.now();
  }

  /**
   * Leaves a shard alone.
   * @param first how long, the first time in a row. Milliseconds
   */
  add(shard: number, first: number): void {
    const failures = (this.rests.get(shard)?.failures ?? 0) + 1;
    const until = this.clock.now() + Math.min(LONGEST, first * 2 ** (failures - 1));
    this.rests.set(shard, { failures, until });
  }

  /** It works. */
  forget(shard: number): void {
    this.rests.delete(shard);
  }
}

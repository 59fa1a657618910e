/** Gives each epoch of a shard its number. */
export interface EpochSource {
  /** A number larger than that of every earlier epoch of the shard in this process. */
  next(shard: number): number | Promise<number>;
}

/** Counts in this process, where no store gives the numbers. */
export class EpochCounter implements EpochSource {
  private readonly last = new Map<number, number>();

  next(shard: number): number {
    const number = (this.last.get(shard) ?? 0) + 1;
    this.last.set(shard, number);
    return number;
  }
}

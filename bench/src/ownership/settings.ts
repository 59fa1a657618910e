/** How much is measured. */
export interface Settings {
  /** Sizes at which the broker is measured at rest; the other scenes have the last. */
  readonly processes: readonly number[];
  /** The same of shards; the other scenes have the first. */
  readonly shards: readonly number[];
  readonly quorum: boolean;
  /** Nice value of the broker and of the processes that own shards; left out: that of whoever measures. */
  readonly nice?: number;
  /** How long each size is measured at rest. */
  readonly seconds: number;
  /** How often processes join, and start at once. */
  readonly rounds: number;
  readonly kills: number;
  readonly stalls: number;
}

/** A job for a key. */
export interface Job<Data> {
  readonly id: string;
  readonly key: string;
  readonly data: Data;
}

/** A queue that keeps the order of each key. */
export interface OpenQueue<Data> {
  /** Puts jobs in, in this order. */
  fill(jobs: readonly Job<Data>[]): Promise<void>;
  /** Starts what handles them. */
  start(): Promise<void>;
}

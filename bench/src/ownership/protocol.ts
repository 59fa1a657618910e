/** What a process that owns shards is told when it is started, as JSON. */
export interface WorkerPlan {
  readonly url: string;
  readonly prefix: string;
  readonly shards: number;
  readonly quorum: boolean;
  /** Seconds; left out: the library's default. */
  readonly heartbeat?: number;
}

/** A message that looks whether its shard is served. */
export interface Probe {
  readonly probe: number;
}

/** What a process tells. `at` is the machine's monotonic clock, in milliseconds. */
export type Told =
  /** Its modules are loaded; it starts its app when it is told to. */
  | { readonly type: 'loaded' }
  /** Its app has started. */
  | { readonly type: 'up' }
  | { readonly type: 'took' | 'gave'; readonly shard: number; readonly at: number }
  | { readonly type: 'handled'; readonly probe: number; readonly at: number };

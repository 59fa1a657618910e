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

/** A signal to another process, and then probes, so that nothing lies between the two. */
export interface Strike {
  readonly pid: number;
  /** 0: none. */
  readonly signal: NodeJS.Signals | 0;
  readonly probes: readonly (Probe & { readonly shard: number })[];
}

/** What a process is told later: first to start, then to strike. */
export type Command = 'start' | Strike;

/** What a process tells. `at` is the machine's monotonic clock, in milliseconds. */
export type Told =
  /** Its modules are loaded; it starts its app when it is told to. */
  | { readonly type: 'loaded' }
  /** Its app has started. */
  | { readonly type: 'up' }
  | { readonly type: 'took' | 'gave'; readonly shard: number; readonly at: number }
  /** The signal is about to be sent. */
  | { readonly type: 'struck'; readonly at: number }
  | { readonly type: 'handled'; readonly probe: number; readonly at: number };

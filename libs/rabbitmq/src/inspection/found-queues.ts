/**
 * What an app has made under a prefix.
 * @publicApi
 */
export interface FoundQueues {
  readonly prefix: string;
  /** How many shards there are. */
  readonly totalCount: number;
  /** `undefined` where it could not be learnt, for want of the right to configure. */
  readonly type: 'classic' | 'quorum' | undefined;
  /** By what a key becomes a shard, as the broker remembers it; `undefined` where it does not tell. */
  readonly hash: string | undefined;
  /** Whose the queues are; `undefined` where nobody has consumed yet, or the broker does not tell. */
  readonly application: string | undefined;
  /** Whether the number of shards was counted, queue by queue, and not remembered by the broker. */
  readonly counted: boolean;
}

/**
 * A queue as everybody may see it.
 * @publicApi
 */
export interface QueueFacts {
  readonly name: string;
  /** Those that were not delivered. */
  readonly messages: number;
  /** On quorum queues with a single active consumer that one alone. */
  readonly consumers: number;
}

/**
 * The queues of one shard; `undefined` where one is not there.
 * @publicApi
 */
export interface ShardQueues {
  readonly shard: number;
  readonly messages: QueueFacts | undefined;
  readonly parked: QueueFacts | undefined;
  readonly signals: QueueFacts | undefined;
}

/**
 * What a user may not do, and what to grant.
 * @publicApi
 */
export interface MissingRight {
  readonly right: 'configure' | 'read' | 'write';
  readonly message: string;
}

/**
 * A queue that differs from what the library makes.
 * @publicApi
 */
export interface QueueDifference {
  readonly queue: string;
  /** What differs, and what to do. */
  readonly message: string;
}

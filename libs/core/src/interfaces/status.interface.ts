/**
 * How the transport of an instance stands at this moment.
 * @publicApi
 */
export interface TransportStatus {
  /** Whether the broker can be reached. */
  readonly connected: boolean;
  /** Whether the broker takes no messages at present. */
  readonly blocked: boolean;
  /** Shards that this process owns. */
  readonly shards: number;
  /** Whether an operator has this process claim no shards; left out, it is not so. */
  readonly intakePaused?: boolean;
  /** How often a connection to the broker has come back so far; left out by transports without a broker. */
  readonly reconnects?: number;
  /** Dead letters that were dropped so far because there were too many; left out by transports that drop none. */
  readonly droppedDeadLetters?: number;
}

/**
 * The message of the outbox that waits the longest in this process.
 * @publicApi
 */
export interface OldestOutboxMessage {
  /** Milliseconds since it was committed, or read from the store. */
  readonly age: number;
  /** The sharding key that it goes to, as the log shows keys. */
  readonly destination: string;
  /** The shard of that key. */
  readonly shard: number;
  /** Why it was not taken at the last try; left out before one has failed. */
  readonly problem?: string;
}

/**
 * What is committed and not yet taken by the broker, of the shards that this process owns.
 * @publicApi
 */
export interface OutboxHealth {
  /** Messages that wait; above 5,000 of a shard some are left out, which are still to be read from the store. */
  readonly waiting: number;
  /** Left out where none waits. */
  readonly oldest?: OldestOutboxMessage;
}

/**
 * How the store of an instance stands at this moment.
 * @publicApi
 */
export interface StoreHealth {
  /** Whether it answers. While it does not, its shards wait and nothing is lost. */
  readonly connected: boolean;
  /** Why it does not, in words. */
  readonly problem?: string;
  /** Milliseconds since it last answered, while it does not. */
  readonly awayFor?: number;
  /** Messages that came without an id so far: each of them may be handled twice. */
  readonly messagesWithoutId: number;
  readonly outbox: OutboxHealth;
}

/**
 * One process that takes part.
 * @publicApi
 */
export interface ProcessInfo {
  /** Instance, host, process id and a number of its own. */
  readonly name: string;
  /** The shards that it owns, in order. */
  readonly shards: readonly number[];
  /** Whether it is the process that asks. */
  readonly self: boolean;
  /** `'paused'` while an operator has it claim no shards: what it still has it hands over. */
  readonly intake: 'open' | 'paused';
}

/**
 * What one instance of the module owns and does at this moment.
 * @publicApi
 */
export interface EngineStatus {
  readonly transport: TransportStatus;
  /** Whether the transport keeps messages beyond the life of this process. */
  readonly durable: boolean;
  /** Left out where there is no store. */
  readonly store?: StoreHealth;
  /** Shards that this process owns. */
  readonly shards: number;
  /** Shards that wait because their side queue is full. */
  readonly stalledShards: readonly number[];
  /** Data updaters that live. */
  readonly liveKeys: number;
  /** Attempts that run. */
  readonly runningAttempts: number;
  /** Messages that are here and wait for their turn: those that are handled at this moment and those in side queues are left out. */
  readonly waitingMessages: number;
  /** Keys whose head waits for its next attempt. */
  readonly backoffs: number;
  /** Keys whose messages wait because `init` failed at the last try. */
  readonly failingInits: number;
  /** Keys that are parked, by somebody, after their last attempt, or under pressure. */
  readonly parkedKeys: number;
  readonly parkedMessages: number;
  /**
   * How long the oldest unfinished head has been here: the longest time without progress of any key. That of a head that
   * fails goes on while its key is moved aside under pressure; a key that is parked until somebody resumes it has none.
   * Milliseconds.
   */
  readonly oldestHead: number;
}

/** What is known of the setting in which a history came about. What is left out bounds nothing. */
export interface Limits {
  /** Most unsettled deliveries of one epoch, and most handled messages that a process remembers of it. Default 300. */
  readonly prefetch?: number;
  /** Most attempts at a message. */
  readonly attempts?: number;
  /** When a callback is told to end. Milliseconds. */
  readonly handlerTimeout?: number;
  /** How long it is waited for after that, and after the end of a drain. Milliseconds, default 1,000. */
  readonly grace?: number;
  /** How long what runs is waited for when a shard is released. Milliseconds. */
  readonly drainTimeout?: number;
  /**
   * An ack that was not on its way for so long when its process was struck may not have arrived. The library coalesces acks
   * for some milliseconds; a busy machine adds to that, and a reset drops what was not read. Milliseconds, default 1,000.
   * 0: the broker lives in the process, so that whatever is told to it takes effect at once.
   */
  readonly ackDelay?: number;
  /** The same for a broker that is killed: classic queues write acks to disk lazily. Milliseconds, default 10,000. */
  readonly brokerDelay?: number;
  /** How much later than its time-out a signal may be seen to start, and its caller be told its end. Milliseconds. */
  readonly signalDelay?: number;
  /**
   * For how long the news that a signal has started may be on its way: a caller who has given up by then may be told that it
   * will not run. Milliseconds, default 0.
   */
  readonly signalNotice?: number;
  /**
   * With a store: what was handled is settled once it is committed, and the next message of its key may be attempted before. Default
   * `false`.
   */
  readonly settlesLater?: boolean;
  /** Whether a publisher may be told that a message was not taken. Default `true`. */
  readonly mayRefuse?: boolean;
}

export type KnownLimits = Required<Limits>;

export function knownLimits(limits: Limits): KnownLimits {
  return {
    prefetch: 300,
    attempts: Infinity,
    handlerTimeout: Infinity,
    grace: 1_000,
    drainTimeout: Infinity,
    ackDelay: 1_000,
    brokerDelay: 10_000,
    signalDelay: Infinity,
    signalNotice: 0,
    settlesLater: false,
    mayRefuse: true,
    ...limits,
  };
}

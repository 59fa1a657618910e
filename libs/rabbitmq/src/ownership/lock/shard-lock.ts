import type { ChannelModel } from 'amqplib';

/** How RabbitMQ makes one process at most the owner of a shard. */
export interface ShardLock {
  /** Whether the shard's own queue is to be consumed exclusively. */
  readonly exclusive: boolean;

  /** Shards of whose own queue only one process can be the consumer, as was seen. */
  readonly verified: ReadonlySet<number>;

  /** Somebody else has seen it of a shard. */
  know(shard: number): void;

  /** Takes the lock of a shard. Returns `undefined` where somebody else has it. */
  take(model: ChannelModel, shard: number): Promise<HeldLock | undefined>;

  /** The shard's queue was deleted, and another may come by its name. */
  deleted(shard: number): void;
}

/** The lock of one shard, from when it was got until others may have it. */
export interface HeldLock {
  /**
   * The shard's queue is consumed. Rejects when that makes nobody its owner.
   * @throws {RabbitMqSetupError}
   */
  verify(): Promise<void>;

  /**
   * Watches over it from now on.
   * @param lost it is somebody else's, or may be; also where that came to pass before
   */
  watch(lost: (cause: Error) => void): void;

  /** Lets others have it, when nothing of the epoch can follow any more. Never rejects. */
  release(): Promise<void>;
}

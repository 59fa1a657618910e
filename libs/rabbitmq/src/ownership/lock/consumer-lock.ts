import type { ChannelModel } from 'amqplib';
import { verifyExclusive } from '../exclusive-consumer.js';
import type { QueueNames } from '../../topology/queue-names.js';
import type { HeldLock, ShardLock } from './shard-lock.js';

/** The lock of classic shards: the exclusive consumer of the shard's own queue. It goes with the shard's channel. */
export class ConsumerLock implements ShardLock {
  readonly exclusive = true;
  readonly verified = new Set<number>();

  constructor(private readonly names: QueueNames) {}

  /** Nothing is to be had before the shard's queue is consumed. */
  take(model: ChannelModel, shard: number): Promise<HeldLock> {
    return Promise.resolve({
      verify: () => this.verify(model, shard),
      watch: () => undefined,
      release: () => Promise.resolve(),
    });
  }

  know(shard: number): void {
    this.verified.add(shard);
  }

  deleted(shard: number): void {
    this.verified.delete(shard);
  }

  /** That the broker enforces the exclusive consumer is asked once for each queue: a refusal costs a channel. */
  private async verify(model: ChannelModel, shard: number): Promise<void> {
    if (this.verified.has(shard)) return;
    await verifyExclusive(model, this.names.shard(shard));
    this.verified.add(shard);
  }
}

import type { BrokerConnection } from '../connection/broker-connection.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import type { QueueNames } from './queue-names.js';

/** How many messages wait in the shards' queues. What was delivered and is not acked is not among them. */
export class ShardBacklogs {
  private readonly looks: LazyChannel;

  constructor(
    connection: BrokerConnection,
    private readonly names: QueueNames,
    private readonly totalCount: number,
  ) {
    this.looks = new LazyChannel(connection);
  }

  /** Rejects while there is no connection. */
  async count(): Promise<(number | undefined)[]> {
    await this.looks.get();
    const counts: (number | undefined)[] = [];
    for (let shard = 0; shard < this.totalCount; shard++) counts.push(await this.countOf(shard));
    return counts;
  }

  /** `undefined` where there is no such queue, or the broker does not let us see it: it has closed the channel over that. */
  private async countOf(shard: number): Promise<number | undefined> {
    try {
      const channel = await this.looks.get();
      return (await channel.checkQueue(this.names.shard(shard))).messageCount;
    } catch {
      return undefined;
    }
  }
}

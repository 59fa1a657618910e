import { encodeShardingKey, type ShardingKey, shardOf } from '@mississippi/core';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';

/**
 * Publishes as Mississippi for Elixir does, and as any program can that knows three things: the queue is
 * `<prefix><phash2(Key, TotalCount)>`, on the default exchange; the header `sharding_key` has the key in Erlang's external term
 * format; a message is persistent, with an id and a time in seconds. `shardOf` and `encodeShardingKey` compute the first two.
 *
 * One octet differs: Elixir writes the header as a long string (`S`), and amqplib can write bytes as a byte array (`x`) only. What
 * follows that octet is the same, and consumers of both languages take both.
 */
export class ElixirLikeProducer {
  private readonly returned: string[] = [];

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly queues: { prefix: string; totalCount: number },
  ) {
    channel.on('return', ({ fields }) => this.returned.push(fields.routingKey));
  }

  static async connect(url: string, queues: { prefix: string; totalCount: number }): Promise<ElixirLikeProducer> {
    const connection = await connect(url);
    return new ElixirLikeProducer(connection, await connection.createConfirmChannel(), queues);
  }

  publish(key: ShardingKey, body: Uint8Array, messageId: string): void {
    const { prefix, totalCount } = this.queues;
    this.channel.publish('', `${prefix}${shardOf(key, { totalCount })}`, Buffer.from(body), {
      headers: { sharding_key: Buffer.from(encodeShardingKey(key)) },
      mandatory: true,
      persistent: true,
      messageId,
      timestamp: Math.floor(Date.now() / 1_000),
    });
  }

  /**
   * Resolves when the broker has everything.
   * @throws when a queue is missing: the prefix is another, or no consumer has declared it yet
   */
  async confirmed(): Promise<void> {
    await this.channel.waitForConfirms();
    if (this.returned.length > 0) throw new Error(`There is no queue ${this.returned[0]}: start a consumer first.`);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

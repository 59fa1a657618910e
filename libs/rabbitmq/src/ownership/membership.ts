import type { Channel } from 'amqplib';
import type { LazyChannel } from '../connection/lazy-channel.js';
import type { Topology } from '../topology/topology.js';

/**
 * Who takes part, counted by the broker: each process has a consumer on the queue of members. Nothing is published to it; a
 * process that dies is gone from the count at once.
 */
export class Membership {
  private joined: Channel | undefined;
  private tag: string | undefined;
  private left = false;

  constructor(
    private readonly topology: Topology,
    /** A channel of its own: what closes another must not end the membership. */
    private readonly channel: LazyChannel,
  ) {}

  /** Takes part, on the channel that counts too. */
  async join(): Promise<void> {
    const channel = await this.channel.get();
    if (this.joined === channel || this.left) return;
    this.forget();
    await this.topology.declareMembers(channel);
    const tag = await this.attach(channel);
    if (this.left) {
      await channel.cancel(tag); // It left while the broker had not answered yet.
      return;
    }
    this.tag = tag;
    this.joined = channel;
  }

  /** Takes part no more, for good. */
  async leave(): Promise<void> {
    const { joined, tag } = this;
    this.left = true;
    this.forget();
    if (joined !== undefined && tag !== undefined) await joined.cancel(tag);
  }

  /** The channel is gone, and the consumer with it; or the queue was deleted. It is joined again at the next look. */
  forget(): void {
    this.joined = undefined;
    this.tag = undefined;
  }

  /** How many take part. */
  async count(): Promise<number> {
    return this.topology.declareMembers(await this.channel.get());
  }

  private async attach(channel: Channel): Promise<string> {
    const { names, tags } = this.topology;
    const gone = (message: unknown): void => {
      if (message === null) this.forget();
    };
    const consuming = channel.consume(names.members, gone, { consumerTag: tags.member });
    return (await this.topology.reading(consuming)).consumerTag;
  }
}

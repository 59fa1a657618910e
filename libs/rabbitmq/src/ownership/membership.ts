import type { Channel } from 'amqplib';
import type { LazyChannel } from '../connection/lazy-channel.js';
import type { Topology } from '../topology/topology.js';

/**
 * Who takes part, counted by the broker: each process has a consumer on the queue of members, and one on the queue of the
 * hungry while it lacks shards. Nothing is published to either; a process that dies is gone from the count at once.
 */
export class Membership {
  private joined: Channel | undefined;
  private tag: string | undefined;
  private hungryTag: string | undefined;
  private left = false;

  constructor(
    private readonly topology: Topology,
    /** A channel of its own: what closes another must not end the membership. */
    private readonly channel: LazyChannel,
  ) {}

  /** Whether this process counts as hungry. */
  get hungry(): boolean {
    return this.hungryTag !== undefined;
  }

  /** Takes part, on the channel that counts too. */
  async join(): Promise<void> {
    const channel = await this.channel.get();
    if (this.joined === channel || this.left) return;
    this.forget();
    await this.topology.declareMembers(channel);
    const tag = await this.attach(channel, this.topology.names.members, () => this.forget());
    if (this.left) {
      await channel.cancel(tag); // It left while the broker had not answered yet.
      return;
    }
    this.tag = tag;
    this.joined = channel;
  }

  /** Takes part no more, for good. */
  async leave(): Promise<void> {
    const { joined, tag, hungryTag } = this;
    this.left = true;
    this.forget();
    for (const consumer of [tag, hungryTag]) {
      if (joined !== undefined && consumer !== undefined) await joined.cancel(consumer);
    }
  }

  /** The channel is gone, and the consumers with it. */
  forget(): void {
    this.joined = undefined;
    this.tag = undefined;
    this.hungryTag = undefined;
  }

  async setHungry(hungry: boolean): Promise<void> {
    const { joined } = this;
    if (joined === undefined || hungry === this.hungry) return;
    if (hungry) {
      const tag = await this.attach(joined, this.topology.names.hungry, () => (this.hungryTag = undefined));
      if (this.joined === joined) this.hungryTag = tag;
      else if (this.left) await joined.cancel(tag);
    } else {
      const tag = this.hungryTag!;
      this.hungryTag = undefined;
      await joined.cancel(tag);
    }
  }

  /** How many take part, and how many others are hungry. */
  async count(): Promise<{ members: number; hungry: number }> {
    const { members, hungry } = await this.topology.declareMembers(await this.channel.get());
    return { members, hungry: hungry - (this.hungry ? 1 : 0) };
  }

  /** @param gone the queue was deleted; it is declared again at the next look */
  private async attach(channel: Channel, queue: string, gone: () => void): Promise<string> {
    const consuming = this.topology.reading(
      channel.consume(queue, (message) => {
        if (message === null) gone();
      }),
    );
    return (await consuming).consumerTag;
  }
}

import type { Channel } from 'amqplib';
import type { Topology } from '../topology/topology.js';

/**
 * Who takes part, counted by the broker: each process has a consumer on the queue of members, and one on the queue of the
 * hungry while it lacks shards. Nothing is published to either; a process that dies is gone from the count at once.
 */
export class Membership {
  private joined: Channel | undefined;
  private tag: string | undefined;
  private hungryTag: string | undefined;

  constructor(private readonly topology: Topology) {}

  /** Whether this process counts as hungry. */
  get hungry(): boolean {
    return this.hungryTag !== undefined;
  }

  /** Takes part, on the channel that counts too. */
  async join(channel: Channel): Promise<void> {
    if (this.joined === channel) return;
    this.forget();
    await this.topology.declareMembers(channel);
    this.tag = await attach(channel, this.topology.names.members);
    this.joined = channel;
  }

  async leave(): Promise<void> {
    const { joined, tag, hungryTag } = this;
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
      this.hungryTag = await attach(joined, this.topology.names.hungry);
    } else {
      const tag = this.hungryTag!;
      this.hungryTag = undefined;
      await joined.cancel(tag);
    }
  }

  /** How many take part, and how many others are hungry. */
  async count(channel: Channel): Promise<{ members: number; hungry: number }> {
    const { members, hungry } = await this.topology.declareMembers(channel);
    return { members, hungry: hungry - (this.hungry ? 1 : 0) };
  }
}

async function attach(channel: Channel, queue: string): Promise<string> {
  return (await channel.consume(queue, () => undefined)).consumerTag;
}

import type { Channel, ChannelModel } from 'amqplib';
import { closeChannel, openChannel } from '../connection/channels.js';
import { codeOf, NOT_FOUND } from '../errors/reply-codes.js';
import type { QueueFacts } from './found-queues.js';

/** Asks for queues by passive declarations, which make nothing. The broker closes a channel over each queue that is not there. */
export class PassiveLooks {
  private channel: Channel | undefined;

  constructor(private readonly model: ChannelModel) {}

  /** `undefined` where there is no such queue. */
  async queue(name: string): Promise<QueueFacts | undefined> {
    this.channel ??= await openChannel(this.model);
    try {
      const { messageCount, consumerCount } = await this.channel.checkQueue(name);
      return { name, messages: messageCount, consumers: consumerCount };
    } catch (error) {
      this.channel = undefined;
      if (codeOf(error) === NOT_FOUND) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.channel !== undefined) await closeChannel(this.channel);
  }
}

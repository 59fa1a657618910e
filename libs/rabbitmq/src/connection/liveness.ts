import type { ChannelModel } from 'amqplib';
import { onChannel } from './channels.js';
import { codeOf, NOT_FOUND } from '../errors/reply-codes.js';

/**
 * Whether the channel that an address of direct reply-to leads to is still open: the broker answers the question for it as for a
 * queue (https://www.rabbitmq.com/docs/direct-reply-to; 3.10 and 4.0). It asks where the channel is, so that the end of a node is
 * seen too.
 */
export async function isThere(model: ChannelModel, address: string): Promise<boolean> {
  try {
    await onChannel(model, (channel) => channel.checkQueue(address));
    return true;
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return false;
    throw error;
  }
}

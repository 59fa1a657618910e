import type { DeadLetterReader, Delivery, MessageHeaders } from '@mississippi/core/transport';
import type { Channel, GetMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { closeChannel } from '../connection/channels.js';
import { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** Headers by which the broker would hand a copy to more queues. */
const ROUTES = ['CC', 'BCC'];

/**
 * Gets one message after the other, and acks none that is not removed: what is not goes back to its place when the channel is closed.
 * Nothing of those is kept here but the number of the last one, so that a hundred thousand need no more memory than one.
 */
export class QueueReader implements DeadLetterReader {
  private read = 0;
  private readonly messages = new WeakMap<Delivery, GetMessage>();

  constructor(
    private readonly connection: BrokerConnection,
    private readonly channel: Channel,
    private readonly queue: string,
    readonly total: number,
  ) {}

  async next(): Promise<Delivery | undefined> {
    if (this.read === this.total) return undefined;
    this.read++;
    const message = await this.channel.get(this.queue, { noAck: false });
    if (message === false) return undefined;
    const letter = letterOf(message);
    this.messages.set(letter, message);
    return letter;
  }

  remove(letter: Delivery): void {
    this.channel.ack(this.messages.get(letter)!);
  }

  /** The broker has got every ack when it has closed the channel. */
  async close(): Promise<void> {
    await closeChannel(this.channel);
    await this.connection.close();
  }
}

/** As it may be published again: a copy for whoever waited for a direct answer would close the channel that publishes it. */
function letterOf(message: GetMessage): Delivery {
  const delivery = new RabbitDelivery(message, false);
  const { key, body, messageId, timestamp, redelivered, carried } = delivery;
  const { priority: _priority, ...properties } = carried;
  return {
    key,
    body,
    headers: withoutRoutes(delivery.headers),
    messageId,
    timestamp,
    redelivered,
    properties,
  };
}

function withoutRoutes(headers: MessageHeaders): MessageHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ROUTES.includes(name)));
}

import type { Delivery, MessageHeaders } from '@mississippi/core/transport';
import type { ConsumeMessage } from 'amqplib';
import { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** Headers by which the broker would hand a copy to more queues. */
const ROUTES = ['CC', 'BCC'];

/** As it may be published again: a copy for whoever waited for a direct answer would close the channel that publishes it. */
export function letterOf(message: ConsumeMessage): Delivery {
  const delivery = new RabbitDelivery(message, false);
  const { key, body, messageId, timestamp, redelivered, carried } = delivery;
  const { priority: _priority, ...properties } = carried;
  return { key, body, headers: withoutRoutes(delivery.headers), messageId, timestamp, redelivered, properties };
}

function withoutRoutes(headers: MessageHeaders): MessageHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ROUTES.includes(name)));
}

import type { Delivery, MessageHeaders } from '@mississippi/core/transport';
import type { AddressedMessage } from '../publishing/addressed-message.js';
import { asBuffer } from '../wire/as-buffer.js';
import { headerTable } from '../wire/header-table.js';
import { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** Headers by which the broker hands a message to more queues: the copy would come back to the shard, again and again. */
const ROUTES = ['CC', 'BCC'];

/** A copy of a delivery with notes among its headers, as it goes to the dead letters or the side queue. */
export function movedCopy(delivery: Delivery, notes: MessageHeaders, queue: string): AddressedMessage {
  const { key, headers, messageId, timestamp, body } = delivery;
  return {
    exchange: '',
    queue,
    body: asBuffer(body),
    options: {
      ...(delivery instanceof RabbitDelivery ? delivery.carried : {}),
      headers: headerTable(key, withoutRoutes(headers), notes),
      persistent: true,
      // A queue that somebody deleted must not swallow it.
      mandatory: true,
      ...(messageId === undefined ? {} : { messageId }),
      ...(timestamp === undefined ? {} : { timestamp }),
    },
  };
}

function withoutRoutes(headers: MessageHeaders): MessageHeaders {
  if (!ROUTES.some((name) => Object.hasOwn(headers, name))) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ROUTES.includes(name)));
}

import type { Delivery, MessageHeaders } from '@mississippi/core/transport';
import type { AddressedMessage } from './addressed-message.js';
import type { Options } from 'amqplib';
import { asBuffer } from '../wire/as-buffer.js';
import { headerFrameBytes } from '../wire/header-frame.js';
import { headerTable, MOST_TABLE_BYTES } from '../wire/header-table.js';
import { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** Headers by which the broker hands a message to more queues: the copy would come back to the shard, again and again. */
const ROUTES = ['CC', 'BCC'];

/** Where a copy goes. */
export interface CopyTarget {
  readonly queue: string;
  /** What the connection takes in one frame. Bytes. */
  readonly frameMax: number;
  /** Whether it is read in the order of its copies: a priority would break that, as quorum queues heed it (RabbitMQ 4). */
  readonly ordered: boolean;
}

/** A copy of a delivery with notes among its headers, as it goes to the dead letters or the side queue. */
export function movedCopy(
  delivery: Omit<Delivery, 'redelivered'>,
  notes: MessageHeaders,
  { queue, frameMax, ordered }: CopyTarget,
): AddressedMessage {
  const { key, headers, messageId, timestamp, body } = delivery;
  const { priority, ...carried } = (
    delivery instanceof RabbitDelivery ? delivery.carried : (delivery.properties ?? {})
  ) as Options.Publish;
  const options: Options.Publish = {
    ...carried,
    ...(priority === undefined || ordered ? {} : { priority }),
    persistent: true,
    // A queue that somebody deleted must not swallow it.
    mandatory: true,
    ...(messageId === undefined ? {} : { messageId }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
  const most = Math.min(MOST_TABLE_BYTES, frameMax - headerFrameBytes(options));
  const table = headerTable(key, withoutRoutes(headers), notes, most);
  return { exchange: '', queue, body: asBuffer(body), options: { ...options, headers: table } };
}

function withoutRoutes(headers: MessageHeaders): MessageHeaders {
  if (!ROUTES.some((name) => Object.hasOwn(headers, name))) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ROUTES.includes(name)));
}

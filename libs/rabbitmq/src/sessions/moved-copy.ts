import type { Delivery, MessageHeaders } from '@mississippi/core/transport';
import type { AddressedMessage } from '../publishing/addressed-message.js';
import { asBuffer } from '../wire/as-buffer.js';
import { headerTable } from '../wire/header-table.js';

/** A copy of a delivery with notes among its headers, as it goes to the dead letters or the side queue. */
export function movedCopy(delivery: Delivery, notes: MessageHeaders, queue: string): AddressedMessage {
  const { key, headers, messageId, timestamp, body } = delivery;
  return {
    exchange: '',
    queue,
    body: asBuffer(body),
    options: {
      headers: headerTable(key, headers, notes),
      persistent: true,
      // A queue that somebody deleted must not swallow it.
      mandatory: true,
      ...(messageId === undefined ? {} : { messageId }),
      ...(timestamp === undefined ? {} : { timestamp }),
    },
  };
}

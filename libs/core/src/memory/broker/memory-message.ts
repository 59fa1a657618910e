import type { FifoItem } from '../../collections/fifo.js';
import type { Delivery, OutgoingMessage, ParkedMode } from '../../transport/transport.interface.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../../interfaces/message-properties.interface.js';

/** A message in the embedded broker; it is its own delivery. */
export class MemoryMessage implements Delivery, FifoItem<MemoryMessage> {
  next: MemoryMessage | undefined;
  redelivered = false;
  /** Set while it lies in a side queue. */
  parked: { readonly mode: ParkedMode; readonly notes: MessageHeaders } | undefined;

  constructor(
    readonly key: Uint8Array | undefined,
    readonly body: Uint8Array,
    readonly headers: MessageHeaders,
    readonly messageId: string | undefined,
    readonly timestamp: number | undefined,
    readonly properties?: MessageProperties,
  ) {}

  static from(message: OutgoingMessage): MemoryMessage {
    const { key, body, headers, messageId, timestamp, properties } = message;
    return new MemoryMessage(key, body, headers, messageId, timestamp, properties);
  }
}

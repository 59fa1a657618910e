import type { FifoItem } from '../../collections/fifo.js';
import type { Delivery, OutgoingMessage, ParkedMode } from '../../transport/transport.interface.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';

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
  ) {}

  static from(message: OutgoingMessage): MemoryMessage {
    return new MemoryMessage(message.key, message.body, message.headers, message.messageId, message.timestamp);
  }
}

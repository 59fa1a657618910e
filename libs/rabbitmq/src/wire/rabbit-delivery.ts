import type { HeaderValue, MessageHeaders } from '@mississippi/core';
import type { Delivery } from '@mississippi/core/transport';
import type { ConsumeMessage, Options } from 'amqplib';
import { KEY_HEADER } from './header-names.js';
import { decodeHeader } from './header-values.js';

/** Most bytes of a short string (AMQP 0-9-1, 4.2.5.3), and what a UTF-16 unit takes at most. */
const MOST_BYTES = 255;
const BYTES_PER_UNIT = 3;

/**
 * The properties that go with a copy besides the message's own. An expiration does not: a dead letter would vanish, and so would
 * what waits in the side queue. Nor does a user id, which the broker compares with the connection's.
 */
const CARRIED = ['contentType', 'contentEncoding', 'correlationId', 'replyTo', 'type', 'appId'] as const;

/** To publish with this asks for a direct answer, and the broker closes the channel of whoever does not consume them. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

const isShort = (text: string): boolean =>
  text.length * BYTES_PER_UNIT <= MOST_BYTES || Buffer.byteLength(text) <= MOST_BYTES;

/** A message of a queue, together with what settles it. */
export class RabbitDelivery implements Delivery {
  readonly key: Uint8Array | undefined;
  readonly body: Uint8Array;
  readonly messageId: string | undefined;
  readonly timestamp: number | undefined;
  readonly redelivered: boolean;
  readonly tag: number;
  settled = false;
  private readonly properties: ConsumeMessage['properties'];
  private decoded: MessageHeaders | undefined;

  constructor(
    message: ConsumeMessage,
    /** Whether it came out of the side queue. */
    readonly parked: boolean,
  ) {
    const { headers, messageId, timestamp } = message.properties;
    this.properties = message.properties;
    // A header '__proto__' of a foreign producer becomes the prototype.
    const key: unknown = headers !== undefined && Object.hasOwn(headers, KEY_HEADER) ? headers[KEY_HEADER] : undefined;
    // A window on the socket's buffer, as the body is: whoever keeps a key for longer than its message copies it.
    this.key = key instanceof Uint8Array ? key : undefined;
    this.body = message.content;
    // What is no text or no exact number could not be written again when the message is dead-lettered or parked.
    this.messageId = typeof messageId === 'string' && isShort(messageId) ? messageId : undefined;
    this.timestamp = Number.isSafeInteger(timestamp) ? (timestamp as number) : undefined;
    this.redelivered = message.fields.redelivered;
    this.tag = message.fields.deliveryTag;
  }

  /** All headers but the sharding key; a `sharding_key` that is no bytes stays among them. */
  get headers(): MessageHeaders {
    return (this.decoded ??= this.decode());
  }

  /** What else its publisher wrote, as far as a copy may carry it. */
  get carried(): Options.Publish {
    const carried: Record<string, unknown> = {};
    for (const name of CARRIED) {
      const value: unknown = this.properties[name];
      // What is no text could not be written again.
      if (typeof value === 'string' && isShort(value) && value !== REPLY_TO) carried[name] = value;
    }
    const { priority } = this.properties;
    if (Number.isInteger(priority)) carried['priority'] = priority;
    return carried;
  }

  private decode(): MessageHeaders {
    const headers: Record<string, HeaderValue> = {};
    for (const [name, value] of Object.entries(this.properties.headers ?? {})) {
      if (name !== KEY_HEADER || this.key === undefined) headers[name] = decodeHeader(value);
    }
    return headers;
  }
}

import type { HeaderValue, MessageHeaders, MessageProperties } from '@mississippi/core';
import { PROPERTY_NAMES, type Delivery } from '@mississippi/core/transport';
import type { ConsumeMessage, GetMessage, Options } from 'amqplib';
import { KEY_HEADER } from './header-names.js';
import { decodeHeader } from './header-values.js';

/** Most bytes of a short string (AMQP 0-9-1, 4.2.5.3), and what a UTF-16 unit takes at most. */
const MOST_BYTES = 255;
const BYTES_PER_UNIT = 3;

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
  private readonly wire: ConsumeMessage['properties'];
  private decoded: MessageHeaders | undefined;
  private said: MessageProperties | undefined;

  constructor(
    message: ConsumeMessage | GetMessage,
    /** Whether it came out of the side queue. */
    readonly parked: boolean,
  ) {
    const { headers, messageId, timestamp } = message.properties;
    this.wire = message.properties;
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

  get properties(): MessageProperties {
    return (this.said ??= this.read());
  }

  /**
   * What else its publisher wrote, as far as a copy may carry it. An expiration it may not: a dead letter would vanish, and so
   * would what waits in the side queue. Nor a user id, which the broker compares with the connection's.
   */
  get carried(): Options.Publish {
    const { replyTo, ...others } = this.properties;
    const { priority } = this.wire;
    return {
      ...(others as Options.Publish),
      ...(replyTo === undefined || replyTo === REPLY_TO ? {} : { replyTo }),
      ...(Number.isInteger(priority) ? { priority: priority as number } : {}),
    };
  }

  /** What is no text, or was none, could not be written again. */
  private read(): MessageProperties {
    const said: Record<string, string> = {};
    for (const name of PROPERTY_NAMES) {
      const value: unknown = this.wire[name];
      if (typeof value === 'string' && isShort(value)) said[name] = value;
    }
    return said;
  }

  private decode(): MessageHeaders {
    const headers: Record<string, HeaderValue> = {};
    for (const [name, value] of Object.entries(this.wire.headers ?? {})) {
      if (name !== KEY_HEADER || this.key === undefined) headers[name] = decodeHeader(value);
    }
    return headers;
  }
}

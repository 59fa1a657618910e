/**
 * What a publisher may say of a message besides payload and headers, in the words of AMQP 0-9-1: they are the message's
 * properties on RabbitMQ, for and from producers of any kind. The library itself goes by `type` alone, for methods with
 * `@OnMessage(type)`. Each is a text of at most 255 bytes in UTF-8.
 * @publicApi
 */
export interface MessageProperties {
  /** What kind of message it is, such as `'order.created'`: `@OnMessage(type)` finds its method by it. */
  readonly type?: string | undefined;
  /** What the body holds, as a MIME type: `'application/json'`. Nothing is decoded by it: the option `payload` says how. */
  readonly contentType?: string | undefined;
  /** How the body is packed besides, such as `'gzip'`. Nothing is unpacked by it. */
  readonly contentEncoding?: string | undefined;
  /** What the message belongs to: a request, a conversation, a trace. */
  readonly correlationId?: string | undefined;
  /** Where an answer is wanted, such as the name of a queue. Nothing is answered by itself. */
  readonly replyTo?: string | undefined;
  /** Which application published it. */
  readonly appId?: string | undefined;
}

/**
 * The names of {@link MessageProperties}, for transports that carry them.
 * @publicApi
 */
export const PROPERTY_NAMES = ['type', 'contentType', 'contentEncoding', 'correlationId', 'replyTo', 'appId'] as const;

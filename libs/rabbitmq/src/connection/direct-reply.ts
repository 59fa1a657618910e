import type { Channel, ConsumeMessage } from 'amqplib';

/** The pseudo-queue by which RabbitMQ hands an answer straight to the channel that asked. */
export const REPLY_TO = 'amq.rabbitmq.reply-to';

/** Whether whoever sent a message waits for an answer. */
export function wantsReply({ properties }: ConsumeMessage): boolean {
  return typeof properties.replyTo === 'string';
}

/**
 * Answers a message, on any channel. Where nobody waits for it any more, the answer is dropped.
 * @param type what kind of answer it is, where there are several
 */
export function reply(channel: Channel, { properties }: ConsumeMessage, body: Buffer, type?: string): void {
  const { replyTo, correlationId } = properties as { replyTo: string; correlationId?: string };
  channel.publish('', replyTo, body, {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(type === undefined ? {} : { type }),
  });
}

/** Answers as {@link reply} does, and tells where we can be reached: on a channel that consumes {@link REPLY_TO}. */
export function replyWithAddress(channel: Channel, { properties }: ConsumeMessage, body: Buffer, type: string): void {
  const { replyTo, correlationId } = properties as { replyTo: string; correlationId: string };
  channel.publish('', replyTo, body, { correlationId, type, replyTo: REPLY_TO });
}

/** Asks whoever sent a message something, on a channel that consumes {@link REPLY_TO}. */
export function askBack(channel: Channel, { properties }: ConsumeMessage, id: string, type: string): void {
  const { replyTo } = properties as { replyTo: string };
  channel.publish('', replyTo, Buffer.alloc(0), { correlationId: id, type, replyTo: REPLY_TO });
}

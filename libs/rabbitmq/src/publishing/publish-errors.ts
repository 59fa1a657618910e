import { PublishError } from '@mississippi/core';
import type { OutgoingMessage } from '@mississippi/core/transport';
import { reasonOf } from '../errors/reason.js';
import { MOST_HEADER_BYTES } from '../wire/header-table.js';
import { sizeOf } from '../wire/header-values.js';

/** How RabbitMQ words it (3.10, with the reply code 406, which has other reasons too). */
const TOO_LARGE = /message size \d+ .*max size (\d+)/;

/** Why a message is not even sent; `undefined` where nothing speaks against it. */
export function refusalOf({ body, headers, key }: OutgoingMessage, maxMessageSize: number): PublishError | undefined {
  if (body.length > maxMessageSize) {
    return new PublishError(
      'too_large',
      `The body has ${body.length} bytes, but at most ${maxMessageSize} are taken: send less, or raise maxMessageSize in rabbitmq() and max_message_size in the broker.`,
    );
  }
  const size = sizeOf(headers) + key.length;
  if (size <= MOST_HEADER_BYTES) return undefined;
  return new PublishError(
    'too_large',
    size === Infinity
      ? 'A header has a name of more than 255 bytes: shorten it.'
      : `The headers and the sharding key have ${size} bytes encoded, but at most ${MOST_HEADER_BYTES} are taken: move data into the payload.`,
  );
}

/** The largest body that the broker takes, when that is why it closed the channel. */
export function largestTaken(error: Error): number | undefined {
  const most = TOO_LARGE.exec(error.message)?.[1];
  return most === undefined ? undefined : Number(most);
}

export function tooLargeError(length: number, most: number, cause: Error): PublishError {
  const text = `The body has ${length} bytes, but the broker takes at most ${most}: send less, or raise max_message_size in the broker.`;
  return new PublishError('too_large', text, { cause });
}

export function encodeError(cause: unknown): PublishError {
  return new PublishError('too_large', `The message cannot be encoded: ${reasonOf(cause)}`, { cause });
}

export function tooLargeHeadersError(size: number, most: number): PublishError {
  const text = `The headers and the sharding key make a frame of ${size} bytes, but the broker takes frames of at most ${most}: move data into the payload, or raise frame_max in the broker.`;
  return new PublishError('too_large', text);
}

/** Whether the broker refused a message, in amqplib's words; it reports a closed channel in the same place. */
export function isNack(error: unknown): boolean {
  return error instanceof Error && error.message === 'message nacked';
}

export function refusedError(cause: Error): PublishError {
  const text = `The broker closes the channel over this message each time it is sent (${reasonOf(cause)}): change the message, or the user's permissions.`;
  return new PublishError('refused', text, { cause });
}

/** @param access what the user lacks */
export function deniedError(access: Error): PublishError {
  return new PublishError('refused', `RabbitMQ does not take the message. ${access.message}`, { cause: access });
}

export function returnedError(queue: string): PublishError {
  const text = `No queue took the message (queue '${queue}'): it was deleted and is declared again; publish again.`;
  return new PublishError('returned', text);
}

export function nackedError(cause: unknown): PublishError {
  return new PublishError('nacked', 'The broker refused the message (nack): see its log, then publish again.', {
    cause,
  });
}

export function closedError(): PublishError {
  return new PublishError('closed', 'The connection to RabbitMQ is closed, because the app is shutting down.');
}

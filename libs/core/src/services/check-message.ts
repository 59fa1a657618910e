import { InvalidMessageError } from '../errors/index.js';
import { copyHeaders } from '../headers/copy-headers.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { isObject } from '../is-object.js';
import { isWellFormed } from '../well-formed.js';

/** AMQP 0-9-1, 4.2.5.3: the message id is a short string. Bytes. */
const MOST_ID_BYTES = 255;
/** What a UTF-16 unit takes at most. */
const BYTES_PER_UNIT = 3;

/** What a caller may give with a message, unchecked. */
interface Given {
  readonly headers?: unknown;
  readonly messageId?: unknown;
  readonly timestamp?: unknown;
}

/**
 * Checks what a caller gave with a message.
 * @returns a copy of the headers, which the caller cannot change any more
 * @throws {InvalidMessageError} when it cannot be sent
 */
export function checkMessage({ headers, messageId, timestamp }: Given): MessageHeaders | undefined {
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && (timestamp as number) >= 0)) {
    throw InvalidMessageError.timestamp(timestamp);
  }
  if (messageId !== undefined) checkId(messageId);
  return headers === undefined ? undefined : copyHeaders(headers);
}

/**
 * Checks a message that bypasses the transport.
 * @returns a copy of its headers
 * @throws {InvalidMessageError} when what a caller gave is no direct message
 */
export function checkDirectMessage(message: unknown): MessageHeaders | undefined {
  if (!isObject(message)) throw InvalidMessageError.directMessage(message);
  return checkMessage(message);
}

function checkId(id: unknown): void {
  if (typeof id !== 'string') throw InvalidMessageError.messageId(id);
  const fits = id.length * BYTES_PER_UNIT <= MOST_ID_BYTES || Buffer.byteLength(id) <= MOST_ID_BYTES;
  if (!fits || !isWellFormed(id)) throw InvalidMessageError.unwritableMessageId();
}

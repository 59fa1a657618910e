import { InvalidMessageError } from '../errors/index.js';
import { copyHeaders } from '../headers/copy-headers.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { isObject } from '../is-object.js';
import { isShortText } from './short-text.js';

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
  if (!isShortText(id)) throw InvalidMessageError.unwritableMessageId();
}

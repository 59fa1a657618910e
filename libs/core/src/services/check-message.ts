import { InvalidMessageError } from '../errors/index.js';

/** What a caller may give with a message, unchecked. */
interface Given {
  readonly headers?: unknown;
  readonly messageId?: unknown;
  readonly timestamp?: unknown;
}

/** @throws {InvalidMessageError} when what a caller gave with a message cannot be sent with it */
export function checkMessage({ headers, messageId, timestamp }: Given): void {
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) throw InvalidMessageError.timestamp(timestamp);
  if (messageId !== undefined && typeof messageId !== 'string') throw InvalidMessageError.messageId(messageId);
  if (headers !== undefined && !isRecord(headers)) throw InvalidMessageError.headers(headers);
}

/** @throws {InvalidMessageError} when what a caller gave is no direct message */
export function checkDirectMessage(message: unknown): void {
  if (!isRecord(message)) throw InvalidMessageError.directMessage(message);
  checkMessage(message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { InvalidMessageError } from '../errors/index.js';
import { isShortText } from '../outgoing/short-text.js';

/** @throws {InvalidMessageError} when what a caller gave is no time to wait */
export function checkTimeout(timeout: unknown): void {
  if (timeout === undefined || (typeof timeout === 'number' && timeout >= 0)) return;
  throw InvalidMessageError.timeout(timeout);
}

/** @throws {InvalidMessageError} when what a caller gave is no type of messages */
export function checkMessageType(type: unknown): void {
  if (typeof type === 'string' && type !== '' && isShortText(type)) return;
  throw InvalidMessageError.type(type);
}

/** @throws {InvalidMessageError} when what a caller gave is no name of a signal */
export function checkSignalName(name: unknown): void {
  if (name === undefined || (typeof name === 'string' && name !== '' && isShortText(name))) return;
  throw InvalidMessageError.signalName(name);
}

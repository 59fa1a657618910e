import { InvalidMessageError } from '../errors/index.js';

/** @throws {InvalidMessageError} when what a caller gave is no time to wait */
export function checkTimeout(timeout: unknown): void {
  if (timeout === undefined || (typeof timeout === 'number' && timeout >= 0)) return;
  throw InvalidMessageError.timeout(timeout);
}

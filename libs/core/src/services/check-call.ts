import { InvalidMessageError } from '../errors/index.js';
import type { StateChangeOptions } from '../interfaces/stored-state.interface.js';
import { isShortText } from '../outgoing/short-text.js';
import { isWellFormed } from '../well-formed.js';

/** @throws {InvalidMessageError} when what a caller gave is no time to wait */
export function checkTimeout(timeout: unknown): void {
  if (timeout === undefined || (typeof timeout === 'number' && timeout >= 0)) return;
  throw InvalidMessageError.timeout(timeout);
}

/** Characters. */
const LONGEST_AUDIT_TEXT = 1_000;

/**
 * @param first the least version that there can be; 0 where there need be none
 * @throws {InvalidMessageError} when it does not say who, why, or which state
 */
export function checkStateChange(
  { version = 0, by, reason }: StateChangeOptions,
  first: 0 | 1 = 0,
): Required<StateChangeOptions> & { version: number } {
  if (!Number.isSafeInteger(version) || version < first) throw InvalidMessageError.stateVersion(version);
  for (const [name, text] of Object.entries({ by, reason })) {
    if (!isAuditText(text)) throw InvalidMessageError.auditText(name, text);
  }
  return { version, by, reason };
}

function isAuditText(text: unknown): boolean {
  if (typeof text !== 'string' || text.trim() === '' || text.length > LONGEST_AUDIT_TEXT) return false;
  return isWellFormed(text) && !text.includes('\0'); // PostgreSQL takes no zero bytes in texts.
}

/** @throws {InvalidMessageError} when what a caller gave is no pace: none at all would be as fast as possible */
export function checkRate(rate: unknown): void {
  if (typeof rate === 'number' && rate > 0) return;
  throw InvalidMessageError.rate(rate);
}

/** @throws {InvalidMessageError} */
export function checkSince(since: unknown): void {
  if (since === undefined || (since instanceof Date && Number.isFinite(since.getTime()))) return;
  throw InvalidMessageError.since(since);
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

/**
 * Whoever lacks the id that he meant does not mean all of them.
 * @throws {InvalidMessageError} when something of it is `undefined`
 */
export function checkFilter(filter: object): void {
  for (const [name, value] of Object.entries(filter)) if (value === undefined) throw InvalidMessageError.filter(name);
}

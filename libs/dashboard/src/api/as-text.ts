import { inspect } from 'node:util';

/** Characters of a payload, a state or headers that are shown. */
const LONGEST = 100_000;

/**
 * Any value as text that people read: JSON where it is that, else as Node shows values. Never markup: the page shows it as text.
 * @param most characters
 */
export function asText(value: unknown, most = LONGEST): string {
  const text = jsonOf(value) ?? inspect(value, { depth: 10, maxArrayLength: 1_000, maxStringLength: LONGEST });
  return text.length > most ? `${text.slice(0, most)}\n… (${text.length - most} more characters)` : text;
}

/** `undefined` for what JSON would lose or cannot write. */
export function jsonOf(value: unknown): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value);
  try {
    return hasMore(value) ? undefined : JSON.stringify(value, undefined, 2);
  } catch {
    return undefined;
  }
}

/** Whether there is something within that JSON does not know, such as bytes, a date, a map or a bigint. */
function hasMore(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return false;
  if (typeof value === 'number') return !Number.isFinite(value);
  if (Array.isArray(value)) return value.some(hasMore);
  if (typeof value !== 'object') return true;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return (prototype !== Object.prototype && prototype !== null) || Object.values(value).some(hasMore);
}

/** Bytes that could not be decoded: as text where they are that, else in hexadecimal digits. */
export function bytesAsText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf8', { fatal: true }).decode(bytes.subarray(0, LONGEST));
  } catch {
    return Buffer.from(bytes.subarray(0, LONGEST / 2)).toString('hex');
  }
}

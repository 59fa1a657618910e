import type { HeaderValue, MessageHeaders } from '../interfaces/message-headers.interface.js';

/** A copy of what arrived, whatever its values are: what a handler changes must reach neither the next attempt nor the dead letters. */
export function cloneHeaders(headers: MessageHeaders): MessageHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, cloneValue(value)]));
}

function cloneValue(value: HeaderValue): HeaderValue {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  return Array.isArray(value) ? value.map(cloneValue) : cloneHeaders(value as MessageHeaders);
}

import type { HeaderValue } from '@mississippi/core';
import { wideInteger } from './wide-integers.js';

/** A value in the form that amqplib encodes as it is meant. */
export type Encoded = string | boolean | null | number | Buffer | Encoded[] | { [name: string]: Encoded };

/**
 * A value as amqplib is to encode it. Whole numbers travel as 64 bit integers, as Elixir writes them, others as doubles;
 * so do those that are too large to be exact.
 */
export function encodeHeader(value: HeaderValue): Encoded {
  if (typeof value === 'number') return typed(Number.isSafeInteger(value) ? 'long' : 'double', value);
  if (typeof value === 'bigint') return typed('long', value);
  // A copy: V8 keeps small arrays in its own heap, and a view would make it move their bytes out, which costs far more.
  if (value instanceof Uint8Array) return Buffer.isBuffer(value) ? value : Buffer.from(value);
  if (Array.isArray(value)) return value.map((item: HeaderValue) => encodeHeader(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, encodeHeader(inner)]));
  }
  return value;
}

/** amqplib's way to name the type of a value. */
function typed(type: 'double' | 'long', value: number | bigint): Encoded {
  return { '!': type, value } as unknown as Encoded;
}

/** What amqplib decoded, as handlers see it: typed wrappers are opened. */
export function decodeHeader(value: unknown): HeaderValue {
  if (Array.isArray(value)) return value.map(decodeHeader);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as HeaderValue;
  if (Object.hasOwn(value, '!'))
    return wideInteger(Reflect.get(value, '!')) ?? decodeHeader(Reflect.get(value, 'value'));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, decodeHeader(inner)]));
}

/** Encoded bytes of a value with its type octet, never too few; `Infinity` where a name inside is too long. */
export function sizeOf(value: HeaderValue): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (value instanceof Uint8Array) return 5 + value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item: HeaderValue) => sum + sizeOf(item), 5);
  if (typeof value === 'object' && value !== null) {
    let size = 5;
    for (const [name, inner] of Object.entries(value)) size += sizeOfEntry(name, inner);
    return size;
  }
  return 9;
}

/** Encoded bytes of a name and its value. Names are short strings: at most 255 bytes. */
export function sizeOfEntry(name: string, value: HeaderValue): number {
  const length = Buffer.byteLength(name);
  return length > 255 ? Infinity : 1 + length + sizeOf(value);
}

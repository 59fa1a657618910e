import type { HeaderValue, MessageHeaders } from '@mississippi/core';

/** The header that carries the sharding key in the external term format. */
export const KEY_HEADER = 'sharding_key';

/** Names the headers that were left out because the table would have grown too large. */
export const DROPPED_HEADER = 'mississippi_dropped_headers';

/** amqplib 2.3 encodes a table into a buffer of 65,536 bytes and throws where it does not fit. */
const MOST_BYTES = 65_536;
/** Room for the other properties and for the list of what was dropped. */
const RESERVE = 4_096;
/** The list of what was dropped takes no more. */
const MOST_LIST_BYTES = 1_000;

type Encoded = string | boolean | null | number | Buffer | Encoded[] | { [name: string]: Encoded };

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
  if (Object.hasOwn(value, '!')) return decodeHeader(Reflect.get(value, 'value'));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, decodeHeader(inner)]));
}

/** The header table of a message that is published, and is known to fit ({@link MOST_HEADER_BYTES}). */
export function publishedTable(key: Uint8Array, headers: MessageHeaders): Record<string, Encoded> {
  const table: Record<string, Encoded> = { [KEY_HEADER]: encodeHeader(key) };
  for (const name of Object.keys(headers)) {
    if (name !== KEY_HEADER) table[name] = encodeHeader(headers[name]!);
  }
  return table;
}

/**
 * The header table of a message that is set aside: `added` and the key first, then as many of `kept` as there is room for. What does not
 * fit is named.
 */
export function headerTable(
  key: Uint8Array | undefined,
  kept: MessageHeaders,
  added: MessageHeaders = {},
): Record<string, Encoded> {
  const table: Record<string, Encoded> = {};
  let room = MOST_BYTES - RESERVE;
  const dropped: string[] = [];
  const add = (name: string, value: HeaderValue): void => {
    if (Object.hasOwn(table, name)) return;
    const size = sizeOfEntry(name, value);
    if (size > room) {
      dropped.push(name);
      return;
    }
    room -= size;
    table[name] = encodeHeader(value);
  };
  for (const [name, value] of Object.entries(added)) add(name, value);
  if (key !== undefined) add(KEY_HEADER, key);
  for (const [name, value] of Object.entries(kept)) add(name, value);
  if (dropped.length > 0) table[DROPPED_HEADER] = listOf(dropped);
  return table;
}

function listOf(names: readonly string[]): string {
  const text = names.join(', ');
  const bytes = Buffer.from(text);
  // Cutting inside a character leaves a replacement character at the end, which is text still.
  return bytes.length > MOST_LIST_BYTES ? `${bytes.toString('utf8', 0, MOST_LIST_BYTES - 6)}…` : text;
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

/** Names are short strings: at most 255 bytes. */
function sizeOfEntry(name: string, value: HeaderValue): number {
  const length = Buffer.byteLength(name);
  return length > 255 ? Infinity : 1 + length + sizeOf(value);
}

/** Bytes that a publisher's own headers and the key may take: what is noted when a message is set aside fits in beside. */
export const MOST_HEADER_BYTES = MOST_BYTES - 2 * RESERVE - 256;

import type { HeaderValue, MessageHeaders } from '@mississippi/core';
import { DROPPED_HEADER, KEY_HEADER } from './header-names.js';
import { encodeHeader, sizeOfEntry, type Encoded } from './header-values.js';

/** amqplib 2.3 encodes a table into a buffer of 65,536 bytes and throws where it does not fit. */
const MOST_BYTES = 65_536;
/** Room for the other properties and for the list of what was dropped. */
const RESERVE = 4_096;
/** The list of what was dropped takes no more. */
const MOST_LIST_BYTES = 1_000;

/** Bytes that a publisher's own headers and the key may take: that leaves room for the notes of a dead-lettered or parked message. */
export const MOST_HEADER_BYTES = MOST_BYTES - 2 * RESERVE - 256;

/** The header table of a message that is published, and is known to fit ({@link MOST_HEADER_BYTES}). */
export function publishedTable(key: Uint8Array, headers: MessageHeaders): Record<string, Encoded> {
  const table: Record<string, Encoded> = { [KEY_HEADER]: encodeHeader(key) };
  for (const name of Object.keys(headers)) {
    if (name !== KEY_HEADER) table[name] = encodeHeader(headers[name]!);
  }
  return table;
}

/**
 * The header table of a message that is dead-lettered or parked: `added` and the key first, then as many of `kept` as there is room
 * for. What does not fit is named.
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

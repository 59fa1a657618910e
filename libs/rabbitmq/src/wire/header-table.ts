import type { HeaderValue, MessageHeaders } from '@mississippi/core';
import { DROPPED_HEADER, KEY_HEADER } from './header-names.js';
import { encodeHeader, sizeOf, sizeOfEntry, type Encoded } from './header-values.js';

/** amqplib 2.3 encodes a table into a buffer of 65,536 bytes and throws where it does not fit. */
const MOST_BYTES = 65_536;
/** Room for the other properties and for the list of what was dropped. */
const RESERVE = 4_096;
/** The list of what was dropped takes no more. */
const MOST_LIST_BYTES = 1_000;
/** The same with its name. */
const LIST_BYTES = MOST_LIST_BYTES + 64;
/** Texts are not cut to fewer bytes. */
const LEAST_TEXT = 32;

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

/** What the header table of a dead-lettered or parked message may have, where frames are as large as usual. Bytes. */
export const MOST_TABLE_BYTES = MOST_BYTES - RESERVE + LIST_BYTES;

/**
 * The header table of a message that is dead-lettered or parked: `added` and the key first, then as many of `kept` as there is room
 * for. What does not fit is named. Long texts of `added` are cut, down to a sixteenth of the room, before one of `kept` is dropped;
 * the key goes before all.
 * @param most bytes
 */
export function headerTable(
  key: Uint8Array | undefined,
  kept: MessageHeaders,
  added: MessageHeaders = {},
  most: number = MOST_TABLE_BYTES,
): Record<string, Encoded> {
  const table: Record<string, Encoded> = {};
  const dropped: string[] = [];
  const keySize = key === undefined ? 0 : sizeOfEntry(KEY_HEADER, key);
  const fits = keySize <= most;
  let left = fits ? most - keySize : most;
  const beside = left - sizeOf(kept);
  const leastNotes = most / 16;
  // Where nothing has to be dropped, nothing has to be named.
  const reserve = beside >= leastNotes ? 0 : LIST_BYTES;
  const add = (name: string, value: HeaderValue, isShort = false): void => {
    if (Object.hasOwn(table, name)) return;
    const size = sizeOfEntry(name, value);
    if (size > (isShort ? left : left - reserve)) {
      dropped.push(name);
      return;
    }
    left -= size;
    table[name] = encodeHeader(value);
  };
  for (const [name, value] of shortened(added, Math.min(left, Math.max(leastNotes, beside)))) {
    add(name, value, !isLong(value));
  }
  if (key !== undefined && fits) table[KEY_HEADER] = encodeHeader(key);
  else if (key !== undefined) dropped.push(KEY_HEADER);
  for (const [name, value] of Object.entries(kept)) add(name, value);
  const list = listOf(dropped, left - (LIST_BYTES - MOST_LIST_BYTES));
  if (list !== '') table[DROPPED_HEADER] = list;
  return table;
}

/** A text of which something is told by its beginning. */
function isLong(value: HeaderValue): value is string {
  return typeof value === 'string' && value.length > LEAST_TEXT;
}

/** The entries, of which the long texts are cut so that all have no more than so many bytes, where that can be. */
function shortened(headers: MessageHeaders, most: number): [string, HeaderValue][] {
  const entries = Object.entries(headers);
  if (sizeOf(headers) <= most) return entries;
  let left = most;
  for (const [name, value] of entries) left -= sizeOfEntry(name, isLong(value) ? '' : value);
  return entries.map(([name, value]): [string, HeaderValue] => {
    if (!isLong(value)) return [name, value];
    // The first ones say most; each leaves half to those behind it.
    const text = cut(value, Math.max(LEAST_TEXT, Math.floor(left / 2)));
    left -= Buffer.byteLength(text);
    return [name, text];
  });
}

/** @param most bytes */
function listOf(names: readonly string[], most: number): string {
  return most < LEAST_TEXT ? '' : cut(names.join(', '), Math.min(MOST_LIST_BYTES, most));
}

/** A text of no more than so many bytes; where it was longer, three dots say so. */
function cut(text: string, most: number): string {
  const bytes = Buffer.from(text);
  // Cutting inside a character leaves a replacement character at the end, which is text still.
  return bytes.length > most ? `${bytes.toString('utf8', 0, most - 6)}…` : text;
}

import { isUtf8 } from 'node:buffer';
import { valueEnd } from './frame-table.js';
import { isWide } from './wide-integers.js';

const ARRAY = 'A'.charCodeAt(0);
const TABLE = 'F'.charCodeAt(0);
const STRING = 'S'.charCodeAt(0);
const BYTES = 'x'.charCodeAt(0);
const UNSIGNED = 'L'.charCodeAt(0);
const SIGNED = 'l'.charCodeAt(0);

/** Lists and tables around one another beyond which the inner ones arrive as bytes. */
const MOST_DEPTH = 32;

/**
 * RabbitMQ passes on header values with which amqplib 2.3 loses the whole connection, again at each redelivery: lists
 * nested so deeply that its recursion overflows the stack, and unsigned 64 bit integers, a type that it does not know. A
 * type octet of the same layout makes them readable. So it does for a string that is not UTF-8, of which amqplib would
 * leave replacement characters: it arrives as bytes.
 * @returns whether it holds an integer that is too wide for a number
 */
export function makeReadable(bytes: Buffer, type: number, end: number, depth = 0): boolean {
  const tag = bytes[type];
  if (tag === SIGNED) return isWide(bytes, type + 1, end);
  if (tag === UNSIGNED) {
    bytes[type] = SIGNED;
    return isWide(bytes, type + 1, end);
  }
  if (tag === STRING) {
    const stringEnd = valueEnd(bytes, type, end);
    if (stringEnd !== undefined && stringEnd <= end && !isText(bytes, type + 5, stringEnd)) bytes[type] = BYTES;
    return false;
  }
  if (tag !== ARRAY && tag !== TABLE) return false;
  if (depth === MOST_DEPTH) {
    bytes[type] = BYTES;
    return false;
  }
  let wide = false;
  const innerEnd = Math.min(end, valueEnd(bytes, type, end) ?? end);
  let offset = type + 5;
  while (offset < innerEnd) {
    const inner = tag === TABLE ? offset + 1 + bytes[offset]! : offset;
    if (inner >= innerEnd) return wide;
    if (makeReadable(bytes, inner, innerEnd, depth + 1)) wide = true;
    const next = valueEnd(bytes, inner, innerEnd);
    if (next === undefined) return wide;
    offset = next;
  }
  return wide;
}

/** Most strings are short and ASCII, for which a loop costs less than a call into the runtime. */
const MOST_LOOPED = 64;

function isText(bytes: Buffer, start: number, end: number): boolean {
  if (end - start <= MOST_LOOPED) {
    let offset = start;
    while (offset < end && bytes[offset]! < 0x80) offset++;
    if (offset === end) return true;
  }
  return isUtf8(bytes.subarray(start, end));
}

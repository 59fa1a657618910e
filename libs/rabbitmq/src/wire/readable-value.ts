import { valueEnd } from './frame-table.js';

const ARRAY = 'A'.charCodeAt(0);
const TABLE = 'F'.charCodeAt(0);
const BYTES = 'x'.charCodeAt(0);
const UNSIGNED = 'L'.charCodeAt(0);
const SIGNED = 'l'.charCodeAt(0);

/** Lists and tables around one another beyond which the inner ones arrive as bytes. */
const MOST_DEPTH = 32;

/**
 * RabbitMQ passes on header values with which amqplib 2.3 loses the whole connection, again at each redelivery: lists
 * nested so deeply that its recursion overflows the stack, and unsigned 64 bit integers, a type that it does not know. A
 * type octet of the same layout makes them readable.
 */
export function makeReadable(bytes: Buffer, type: number, end: number, depth = 0): void {
  const tag = bytes[type];
  if (tag === UNSIGNED) bytes[type] = SIGNED;
  if (tag !== ARRAY && tag !== TABLE) return;
  if (depth === MOST_DEPTH) {
    bytes[type] = BYTES;
    return;
  }
  const innerEnd = Math.min(end, valueEnd(bytes, type, end) ?? end);
  let offset = type + 5;
  while (offset < innerEnd) {
    const inner = tag === TABLE ? offset + 1 + bytes[offset]! : offset;
    if (inner >= innerEnd) return;
    makeReadable(bytes, inner, innerEnd, depth + 1);
    const next = valueEnd(bytes, inner, innerEnd);
    if (next === undefined) return;
    offset = next;
  }
}

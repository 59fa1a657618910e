import { headersOf, valueEnd } from './frame-table.js';

/**
 * amqplib 2.3 reads integers of 64 bits as numbers, of which those beyond 2^53 are not exact. Each of these becomes a table
 * `{ '!': <its eight bytes> }` before amqplib reads it, which no producer has a reason to write.
 */
const HEADER_FRAME = 2;
const FRAME_HEADER = 7;
const FRAME_END = 1;
const LENGTH = 4;
/** What every broker takes for a frame, about. Where a frame would grow beyond, its integers stay as they are. Bytes. */
const MOST_FRAME_BYTES = 65_536;

const INTEGER = 'l'.charCodeAt(0);
const ARRAY = 'A'.charCodeAt(0);
const TABLE = 'F'.charCodeAt(0);
/** A table of one entry, `!`, of eight bytes. */
const BEFORE_BYTES = Buffer.from([TABLE, 0, 0, 0, 15, 1, '!'.charCodeAt(0), 'x'.charCodeAt(0), 0, 0, 0, 8]);

const HIGH_LIMIT = 0x20_0000;

/** Whether the integer of 64 bits is one that no number holds for certain. */
export function isWide(bytes: Buffer, start: number, end: number): boolean {
  if (start + 8 > end) return false;
  const high = bytes.readInt32BE(start);
  return high >= HIGH_LIMIT || high < -HIGH_LIMIT || (high === -HIGH_LIMIT && bytes.readUInt32BE(start + 4) === 0);
}

/** The integer that {@link widen} has kept from amqplib, as amqplib decoded it; `undefined` where it is something else. */
export function wideInteger(typed: unknown): bigint | undefined {
  if (!(typed instanceof Uint8Array) || typed.length !== 8) return undefined;
  return Buffer.from(typed).readBigInt64BE();
}

/** The same frames, in which no header is a wide integer. Whole frames only, nested no deeper than `makeReadable` leaves them. */
export function widen(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  while (offset + FRAME_HEADER <= bytes.length) {
    const end = offset + FRAME_HEADER + bytes.readUInt32BE(offset + 3) + FRAME_END;
    const frame = bytes.subarray(offset, end);
    parts.push(frame[0] === HEADER_FRAME ? widenFrame(frame) : frame);
    offset = end;
  }
  return Buffer.concat(parts);
}

function widenFrame(frame: Buffer): Buffer {
  const table = headersOf(frame, FRAME_HEADER, frame.length - FRAME_END);
  if (table === undefined) return frame;
  const fields = widenFields(frame, table.start, table.end, true);
  const widened = Buffer.concat([
    frame.subarray(0, table.start - LENGTH),
    lengthOf(fields),
    fields,
    frame.subarray(table.end),
  ]);
  if (widened.length > MOST_FRAME_BYTES) return frame;
  widened.writeUInt32BE(widened.length - FRAME_HEADER - FRAME_END, 3);
  return widened;
}

/** The entries of a table or a list. What is malformed stays. */
function widenFields(bytes: Buffer, start: number, end: number, named: boolean): Buffer {
  const parts: Buffer[] = [];
  let offset = start;
  while (offset < end) {
    const type = named ? offset + 1 + bytes[offset]! : offset;
    const next = type < end ? valueEnd(bytes, type, end) : undefined;
    if (next === undefined || next > end) return bytes.subarray(start, end);
    parts.push(bytes.subarray(offset, type), widenValue(bytes, type, next));
    offset = next;
  }
  return Buffer.concat(parts);
}

function widenValue(bytes: Buffer, type: number, end: number): Buffer {
  const tag = bytes[type];
  if (tag === INTEGER && isWide(bytes, type + 1, end)) {
    return Buffer.concat([BEFORE_BYTES, bytes.subarray(type + 1, end)]);
  }
  if (tag !== ARRAY && tag !== TABLE) return bytes.subarray(type, end);
  const fields = widenFields(bytes, type + 1 + LENGTH, end, tag === TABLE);
  return Buffer.concat([bytes.subarray(type, type + 1), lengthOf(fields), fields]);
}

function lengthOf(fields: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH);
  length.writeUInt32BE(fields.length);
  return length;
}

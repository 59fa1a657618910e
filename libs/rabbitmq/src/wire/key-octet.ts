import { headersOf, valueEnd } from './frame-table.js';
import { KEY_HEADER } from './header-names.js';
import { makeReadable } from './readable-value.js';

/**
 * amqplib decodes a header of type `S` (long string) as UTF-8, which destroys binary sharding keys, and can send bytes
 * only as type `x` (byte array). Both types have the same layout, so one octet on the connection's own stream makes the
 * difference: `S` becomes `x` before amqplib reads, `x` becomes `S` after it wrote. No length changes.
 *
 * Frames as in the AMQP 0-9-1 specification, 4.2.3.
 */

const HEADER_FRAME = 2;
const FRAME_HEADER = 7;
const FRAME_END = 1;

export const STRING_OCTET = 'S'.charCodeAt(0);
export const BYTES_OCTET = 'x'.charCodeAt(0);

const KEY_NAME = Buffer.from(KEY_HEADER);

/** Changes the type of every message's `sharding_key` header in a stream of frames. */
export class KeyOctetChanger {
  private rest: Buffer | undefined;
  private sawWide = false;

  constructor(
    private readonly from: number,
    private readonly to: number,
    /** Whether amqplib reads the frames: then other headers that it could not read are changed as well. */
    private readonly incoming: boolean,
  ) {}

  /** The whole frames that are there, changed in place; an incomplete last one is kept for the next call. */
  push(chunk: Buffer): Buffer | undefined {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    const end = this.change(bytes);
    this.rest = end === bytes.length ? undefined : bytes.subarray(end);
    return end === 0 ? undefined : bytes.subarray(0, end);
  }

  /** Whether frames since the last question hold integers that are too wide for a number. */
  takeWide(): boolean {
    const { sawWide } = this;
    this.sawWide = false;
    return sawWide;
  }

  /** Changes the whole frames at the start of the bytes. Returns where the first incomplete one begins. */
  change(bytes: Buffer): number {
    let offset = 0;
    while (offset + FRAME_HEADER <= bytes.length) {
      const end = offset + FRAME_HEADER + bytes.readUInt32BE(offset + 3) + FRAME_END;
      if (end > bytes.length) break;
      if (bytes[offset] === HEADER_FRAME) this.changeHeader(bytes, offset + FRAME_HEADER, end - FRAME_END);
      offset = end;
    }
    return offset;
  }

  private changeHeader(bytes: Buffer, start: number, end: number): void {
    const table = headersOf(bytes, start, end);
    if (table === undefined) return;
    let offset = table.start;
    while (offset < table.end) {
      const type = offset + 1 + bytes[offset]!;
      if (type >= table.end) return;
      if (isKeyName(bytes, offset + 1, type)) {
        if (bytes[type] === this.from) bytes[type] = this.to;
        if (!this.incoming) return;
      }
      if (this.incoming && makeReadable(bytes, type, table.end)) this.sawWide = true;
      const next = valueEnd(bytes, type, table.end);
      if (next === undefined) return;
      offset = next;
    }
  }
}

function isKeyName(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== KEY_NAME.length) return false;
  // A loop: a call into the runtime for twelve bytes costs more.
  for (let i = 0; i < KEY_NAME.length; i++) if (bytes[start + i] !== KEY_NAME[i]) return false;
  return true;
}

import { tooManyBytes } from './limits.js';
import { utf8Length, writeUtf8 } from './utf8.js';

const FLOAT = new DataView(new ArrayBuffer(8));

/** Bytes that grow as they are written, up to a limit. Big endian. */
export class ByteWriter {
  /** V8 keeps arrays of up to 64 bytes in its own heap, which makes them cheap; most keys fit. */
  private bytes = new Uint8Array(64);
  private length = 0;
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.reserve(2);
    this.bytes[at] = value >>> 8;
    this.bytes[at + 1] = value;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.bytes[at] = value >>> 24;
    this.bytes[at + 1] = value >>> 16;
    this.bytes[at + 2] = value >>> 8;
    this.bytes[at + 3] = value;
  }

  f64(value: number): void {
    FLOAT.setFloat64(0, value);
    this.u32(FLOAT.getUint32(0));
    this.u32(FLOAT.getUint32(4));
  }

  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** Well-formed text; `length` is its `utf8Length`. */
  utf8(text: string, length = utf8Length(text)): void {
    const at = this.reserve(length);
    writeUtf8(text, this.bytes, at);
  }

  /** A copy of what was written, in memory of its own. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.maxBytes) throw tooManyBytes(this.maxBytes);
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 4));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    this.length = needed;
    return at;
  }
}

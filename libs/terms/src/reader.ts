import { isUtf8 } from 'node:buffer';
import { TermDecodeError, type TermErrorCode } from './errors.js';

/** Reads bytes in order, big endian, and never past their end. */
export class ByteReader {
  offset: number;
  private readonly bytes: Uint8Array;
  private readonly text: Buffer;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, offset: number) {
    this.bytes = bytes;
    this.offset = offset;
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  u8(): number {
    return this.bytes[this.take(1)] as number;
  }

  u16(): number {
    return this.view.getUint16(this.take(2));
  }

  u32(): number {
    return this.view.getUint32(this.take(4));
  }

  i32(): number {
    return this.view.getInt32(this.take(4));
  }

  f64(): number {
    return this.view.getFloat64(this.take(8));
  }

  /** A view: copy what is to be kept. */
  raw(length: number): Uint8Array {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Text where the bytes are valid UTF-8, a byte order mark included, else a copy of the bytes. */
  textOrBytes(length: number): string | Uint8Array {
    const start = this.take(length);
    const bytes = this.bytes.subarray(start, start + length);
    // Asked first and not tried: a TextDecoder that throws takes ten times as long, and random ids are the usual case.
    return isUtf8(bytes) ? this.text.toString('utf8', start, start + length) : Uint8Array.from(bytes);
  }

  latin1(length: number): string {
    const start = this.take(length);
    return this.text.toString('latin1', start, start + length);
  }

  /**
   * A count of items that take at least `itemBytes` each; refused when they cannot all be there, so that nothing is
   * reserved for items that were only announced.
   */
  count(itemBytes: number): number {
    const count = this.u32();
    if (count * itemBytes > this.left) throw this.truncated(count * itemBytes);
    return count;
  }

  fail(code: TermErrorCode, what: string): TermDecodeError {
    return new TermDecodeError(code, this.offset, `${what} at byte ${this.offset}: the sender must repair its key.`);
  }

  private take(length: number): number {
    const start = this.offset;
    if (length > this.bytes.length - start) throw this.truncated(length);
    this.offset = start + length;
    return start;
  }

  private truncated(wanted: number): TermDecodeError {
    return this.fail('truncated', `The term ends too early: ${wanted} bytes wanted and ${this.left} left`);
  }
}

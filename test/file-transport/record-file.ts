import { appendFileSync, closeSync, existsSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

/** Adds bytes to the end of a file, or throws. */
export type Append = (path: string, bytes: Uint8Array) => void;

const LENGTH = 4;

/** Taken when the caller hands it over, so that what it does to the value afterwards changes nothing. */
export function encodeRecord(value: unknown): Buffer {
  const body = serialize(value);
  const length = Buffer.alloc(LENGTH);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

/** A file that only grows, by whole records. What a killed process wrote of its last one is taken off. */
export class RecordFile {
  readonly listeners = new Set<() => void>();
  private size: number;

  constructor(
    readonly path: string,
    private readonly write: Append = appendFileSync,
  ) {
    const end = existsSync(path) ? statSync(path).size : 0;
    this.size = end;
    this.size = this.read(0).end;
    if (this.size < end) truncateSync(path, this.size);
  }

  append(record: Uint8Array): void {
    try {
      this.write(this.path, record);
    } catch (error) {
      if (existsSync(this.path)) truncateSync(this.path, this.size);
      throw error;
    }
    this.size += record.length;
    for (const listener of this.listeners) listener();
  }

  /** The whole records from an offset on, and where they end. */
  read(start: number): { values: unknown[]; end: number } {
    const bytes = this.bytes(start);
    const values: unknown[] = [];
    let at = 0;
    while (at + LENGTH <= bytes.length) {
      const next = at + LENGTH + bytes.readUInt32LE(at);
      if (next > bytes.length) break;
      values.push(deserialize(bytes.subarray(at + LENGTH, next)));
      at = next;
    }
    return { values, end: start + at };
  }

  /** Everything, which is then no longer in it. */
  take(): unknown[] {
    const { values } = this.read(0);
    if (this.size > 0) truncateSync(this.path, 0);
    this.size = 0;
    return values;
  }

  private bytes(start: number): Buffer {
    const bytes = Buffer.alloc(this.size - start);
    if (bytes.length === 0) return bytes;
    const descriptor = openSync(this.path, 'r');
    try {
      return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, start));
    } finally {
      closeSync(descriptor);
    }
  }
}

import { inflateSync } from 'node:zlib';
import type { ByteReader } from './reader.js';
import { tooManyBytes } from './limits.js';

/**
 * The bytes of a compressed term (tag 80), without version byte. The announced size is checked against the limit before
 * anything is inflated, and inflating stops where it is exceeded.
 */
export function inflateTerm(reader: ByteReader, maxBytes: number): Uint8Array {
  const size = reader.u32();
  if (size + 1 > maxBytes) throw tooManyBytes(maxBytes);
  if (size === 0) throw reader.fail('bad_compression', 'A compressed term announces no bytes');
  const packed = reader.raw(reader.left);
  const { buffer, engine } = tryInflate(packed, size) ?? { buffer: undefined, engine: undefined };
  if (buffer === undefined || buffer.length !== size) {
    throw reader.fail('bad_compression', `A compressed term does not inflate to the ${size} bytes that it announces`);
  }
  if (engine.bytesWritten !== packed.length) {
    throw reader.fail('trailing_bytes', 'More bytes follow a compressed term');
  }
  return buffer;
}

interface Inflated {
  readonly buffer: Uint8Array;
  /** Its `bytesWritten` is how much of the input zlib has used. */
  readonly engine: { readonly bytesWritten: number };
}

function tryInflate(packed: Uint8Array, size: number): Inflated | undefined {
  try {
    // `info` makes Node answer with the engine too; its types do not know.
    return inflateSync(packed, { maxOutputLength: size, info: true }) as unknown as Inflated;
  } catch {
    // Broken data or more output than announced: the caller names both.
    return undefined;
  }
}

import { PROPERTY_NAMES } from '@mississippi/core/transport';
import type { Options } from 'amqplib';
import { decodeHeader, sizeOfEntry } from './header-values.js';

/** amqplib 2.3 encodes the headers into 65,536 bytes at most; the other properties have short strings. Bytes. */
export const LARGEST_HEADER_FRAME = 65_536 + 4_096;

/** What a header frame has besides the table of headers and the short strings: frame, class, sizes, flags, numbers. Bytes. */
const FIXED_BYTES = 64;

/** About how many bytes the header frame of a message has, never too few. */
export function headerFrameBytes(options: Options.Publish): number {
  const { headers = {}, messageId, expiration } = options;
  let bytes = FIXED_BYTES;
  for (const text of [messageId, expiration, ...PROPERTY_NAMES.map((name) => options[name])]) {
    if (text !== undefined) bytes += 1 + Buffer.byteLength(String(text));
  }
  for (const [name, value] of Object.entries(headers)) bytes += sizeOfEntry(name, decodeHeader(value));
  return bytes;
}

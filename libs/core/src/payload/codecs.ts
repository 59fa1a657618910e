import { isUtf8 } from 'node:buffer';
import { isWellFormed } from '../well-formed.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Replacement characters must not slip in silently, so bytes that are no UTF-8 are an error. Only a text that has one
 * needs a second look at its bytes.
 */
function utf8(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes);
  const text = buffer.toString();
  if (text.includes('\ufffd') && !isUtf8(buffer)) throw new TypeError('the bytes are not UTF-8');
  return text;
}

export const jsonCodec: PayloadCodec = {
  encode(payload) {
    const text = JSON.stringify(payload) as string | undefined;
    if (text === undefined) throw new TypeError(`${typeof payload} has no form in JSON`);
    return Buffer.from(text);
  },
  decode: (body) => JSON.parse(utf8(body)) as unknown,
};

export const textCodec: PayloadCodec = {
  encode(payload) {
    if (typeof payload !== 'string') throw new TypeError(`a string was expected, not ${typeof payload}`);
    if (!isWellFormed(payload)) throw new TypeError('the text holds half a surrogate pair, which has no form in UTF-8');
    return Buffer.from(payload);
  },
  decode: utf8,
};

export const bytesCodec: PayloadCodec = {
  encode(payload) {
    if (!(payload instanceof Uint8Array)) throw new TypeError(`a Uint8Array was expected, not ${typeof payload}`);
    return Buffer.from(payload); // A copy: the caller may reuse its array while the message still waits.
  },
  decode: (body) => Buffer.from(body), // A copy too: what a handler overwrites must not reach the next attempt.
};

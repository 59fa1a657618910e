/** Frames of AMQP 0-9-1 (4.2.3 to 4.2.6 of the specification), written by hand, well-formed or not. */

const END = 0xce;
/** Bits of the properties that come with a header frame here. */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;
const DELIVERY_MODE = 0x1000;

export function frame(type: number, payload: Buffer, channel = 1): Buffer {
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.of(END)]);
}

export const methodFrame = (payload: Buffer = Buffer.from('any method')): Buffer => frame(1, payload);
export const bodyFrame = (body: Buffer): Buffer => frame(3, body);
export const heartbeat = (): Buffer => frame(8, Buffer.alloc(0), 0);

/** A value with its type octet. */
export function value(type: string, payload: Buffer): Buffer {
  const length = Buffer.alloc('SxAF'.includes(type) ? 4 : 0);
  if (length.length > 0) length.writeUInt32BE(payload.length);
  return Buffer.concat([Buffer.from(type), length, payload]);
}

export function entry(name: string, encoded: Buffer): Buffer {
  const bytes = Buffer.from(name);
  return Buffer.concat([Buffer.of(bytes.length), bytes, encoded]);
}

export interface OtherProperties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
}

/** The header frame of a message with these entries in its table; `undefined`: without a table. */
export function headerFrame(entries: readonly Buffer[] | undefined, others: OtherProperties = {}): Buffer {
  const { contentType, contentEncoding } = others;
  const fixed = Buffer.alloc(14);
  fixed.writeUInt16BE(60, 0);
  fixed.writeUInt16BE(
    (contentType === undefined ? 0 : CONTENT_TYPE) |
      (contentEncoding === undefined ? 0 : CONTENT_ENCODING) |
      (entries === undefined ? 0 : HEADERS) |
      DELIVERY_MODE,
    12,
  );
  const texts = [contentType, contentEncoding].filter((text) => text !== undefined);
  const table = entries === undefined ? [] : [value('F', Buffer.concat(entries)).subarray(1)];
  return frame(2, Buffer.concat([fixed, ...texts.map((text) => entry(text, Buffer.alloc(0))), ...table, Buffer.of(2)]));
}

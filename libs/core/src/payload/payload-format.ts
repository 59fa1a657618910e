import type { Type } from '@nestjs/common';
import type { PayloadCodec, PayloadFormat } from '../interfaces/payload-codec.interface.js';
import { bytesCodec, jsonCodec, textCodec } from './codecs.js';

const BUILT_IN = { json: jsonCodec, text: textCodec, bytes: bytesCodec };

export function isPayloadFormat(value: unknown): value is PayloadFormat {
  return (typeof value === 'string' && Object.hasOwn(BUILT_IN, value)) || isCodec(value) || isClass(value);
}

/** The codec that a format travels by. A class travels as JSON. */
export function codecOf(format: PayloadFormat): PayloadCodec {
  if (typeof format === 'string') return BUILT_IN[format];
  return isCodec(format) ? copying(format) : jsonCodec;
}

/** A user's codec may give its own bytes away, or keep those that it gets; the built-in ones copy already. */
function copying(codec: PayloadCodec): PayloadCodec {
  return {
    encode(payload) {
      const body: unknown = codec.encode(payload);
      return (body instanceof Uint8Array ? Buffer.from(body) : body) as Uint8Array;
    },
    decode: (body) => codec.decode(Buffer.from(body)),
  };
}

/** The class that payloads of this format become, if any. */
export function classOf(format: PayloadFormat): Type | undefined {
  return typeof format === 'function' ? format : undefined;
}

/** Arrow functions and methods have no prototype. */
function isClass(value: unknown): value is Type {
  return typeof value === 'function' && typeof value.prototype === 'object';
}

/** Whether a value has the two methods of a codec. */
export function isCodec(value: unknown): value is PayloadCodec {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'encode') === 'function' &&
    typeof Reflect.get(value, 'decode') === 'function'
  );
}

import type { Type } from '@nestjs/common';
import type { PayloadCodec, PayloadFormat } from '../interfaces/payload-codec.interface.js';
import type { StandardSchema } from '../interfaces/standard-schema.interface.js';
import { isObject } from '../is-object.js';
import type { PayloadClassOptions } from '../options/payload-class.options.js';
import { bytesCodec, jsonCodec, textCodec } from './codecs.js';

const BUILT_IN = { json: jsonCodec, text: textCodec, bytes: bytesCodec };

export function isPayloadFormat(value: unknown): value is PayloadFormat {
  if (typeof value === 'string') return Object.hasOwn(BUILT_IN, value);
  return isSchema(value) || isCodec(value) || isPayloadClass(value) || isClass(value);
}

/** The codec that a format travels by. What is checked afterwards travels as JSON. */
export function codecOf(format: PayloadFormat): PayloadCodec {
  if (typeof format === 'string') return BUILT_IN[format];
  return !isSchema(format) && isCodec(format) ? copying(format) : jsonCodec;
}

/** A user's codec may give its own bytes away, or keep those that it gets; the built-in ones copy already. */
export function copying(codec: PayloadCodec): PayloadCodec {
  return {
    encode(payload) {
      const body: unknown = codec.encode(payload);
      return (body instanceof Uint8Array ? Buffer.from(body) : body) as Uint8Array;
    },
    decode: (body) => codec.decode(Buffer.from(body)),
  };
}

/** The class that payloads of this format become, with its options, if any. */
export function classOf(format: PayloadFormat): PayloadClassOptions | undefined {
  if (isSchema(format) || isCodec(format)) return undefined;
  if (isPayloadClass(format)) return format;
  return isClass(format) ? { class: format } : undefined;
}

/** The schema that payloads of this format must fit, if any. Asked first: a zod schema has encode and decode, arktype's are functions. */
export function schemaOf(format: PayloadFormat): StandardSchema | undefined {
  return isSchema(format) ? format : undefined;
}

/** A class together with options; what is in them is checked elsewhere. */
export function isPayloadClass(value: unknown): value is PayloadClassOptions {
  return isObject(value) && 'class' in value && !isSchema(value) && !isCodec(value);
}

/** Arrow functions and methods have no prototype. */
function isClass(value: unknown): value is Type {
  return typeof value === 'function' && typeof value.prototype === 'object';
}

function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = Reflect.get(value, '~standard');
  return isObject(standard) && standard['version'] === 1 && typeof standard['validate'] === 'function';
}

/** Whether a value has the two methods of a codec. */
export function isCodec(value: unknown): value is PayloadCodec {
  return isObject(value) && typeof value['encode'] === 'function' && typeof value['decode'] === 'function';
}

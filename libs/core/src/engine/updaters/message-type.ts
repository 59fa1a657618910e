import { isObject } from '../../is-object.js';
import type { TypeSource } from '../../mississippi.options.js';
import type { MessageMetadata } from './callback-run.js';

/** Whether the type of a message is known only once its payload is decoded. */
export function isInPayload(source: TypeSource): boolean {
  return typeof source === 'object' && 'payload' in source;
}

/** The type of a message, where that is not in its payload. What is no text is no type. */
export function typeOf(source: TypeSource, { properties, headers }: MessageMetadata): string | undefined {
  if (source === 'property') return properties?.type;
  return 'header' in source ? textIn(headers, source.header) : undefined;
}

/** The type of a message by its decoded payload. */
export function typeIn(source: TypeSource, payload: unknown): string | undefined {
  return typeof source === 'object' && 'payload' in source && isObject(payload)
    ? textIn(payload, source.payload)
    : undefined;
}

function textIn(object: object, name: string): string | undefined {
  const value: unknown = Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

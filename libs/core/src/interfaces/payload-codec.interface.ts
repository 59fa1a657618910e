import type { Type } from '@nestjs/common';
import type { PayloadClassOptions } from '../options/payload-class.options.js';
import type { StandardSchema } from './standard-schema.interface.js';

/**
 * Turns payloads into bytes and back. Both may throw: a payload that cannot be encoded rejects `publish` before anything
 * is sent, one that cannot be decoded is dead-lettered as `payload_undecodable`. `decode` may return a promise; `encode`
 * answers at once, since messages leave in the order of the calls.
 * @publicApi
 */
export interface PayloadCodec<Payload = unknown> {
  encode(payload: Payload): Uint8Array;
  decode(body: Uint8Array): Payload | Promise<Payload>;
}

/**
 * How payloads travel: `'json'` (default), `'text'` (UTF-8), `'bytes'`, or a codec of one's own. Or as JSON that is checked
 * before the handler sees it, and dead-lettered as `payload_invalid` where it does not fit:
 *
 * - a class, into which JSON is turned by class-transformer and which class-validator then checks; as `{ class, … }` with
 *   the options of both. These two packages must be installed for it;
 * - a Standard Schema, such as a zod, valibot or arktype one; the handler gets its output.
 * @publicApi
 */
export type PayloadFormat = 'json' | 'text' | 'bytes' | PayloadCodec | Type | PayloadClassOptions | StandardSchema;

/**
 * What the handler gets for a format.
 * @example
 * const Flight = z.object({ number: z.coerce.number() });
 * \@MessageHandler({ payload: Flight })
 * class FlightHandler implements DataUpdaterHandler<Totals, PayloadOf<typeof Flight>> { … }
 * @publicApi
 */
export type PayloadOf<Format> = Format extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : Format extends abstract new (...args: never[]) => infer Instance
    ? Instance
    : Format extends { readonly class: abstract new (...args: never[]) => infer Instance }
      ? Instance
      : Format extends { decode(body: Uint8Array): infer Payload }
        ? Payload
        : Format extends 'text'
          ? string
          : Format extends 'bytes'
            ? Uint8Array
            : unknown;

import type { Type } from '@nestjs/common';

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
 * How payloads travel: `'json'` (default), `'text'` (UTF-8), `'bytes'`, a codec of one's own, or a class, into which
 * JSON is turned by class-transformer and which class-validator then checks (`payload_invalid` where it objects).
 * @publicApi
 */
export type PayloadFormat = 'json' | 'text' | 'bytes' | PayloadCodec | Type;

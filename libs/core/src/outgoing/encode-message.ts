import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock/clock.interface.js';
import { isUnwantedPromise } from '../engine/base/thenable.js';
import { describe } from '../errors/describe.js';
import { PayloadEncodeError } from '../errors/index.js';
import type { PublishInput } from '../interfaces/callback-context.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import type { KeyEncoder } from '../keys/key-kinds.js';
import type { OutgoingMessage } from '../transport/transport.interface.js';
import { checkMessage } from './check-message.js';
import { checkProperties } from './check-properties.js';

/**
 * Milliseconds since the epoch at which a message was published, for latency.
 * @publicApi
 */
export const PUBLISHED_AT_HEADER = 'mississippi_published_at_ms';

/** What messages are encoded with. */
export interface MessageEncoding {
  readonly codec: PayloadCodec;
  readonly keys: KeyEncoder;
  readonly clock: Clock;
}

/**
 * A message as it leaves, but for its shard.
 * @throws {MissingShardingKeyError} {@link InvalidShardingKeyError} {@link InvalidMessageError} {@link PayloadEncodeError}
 */
export function encodeMessage(
  { codec, keys, clock }: MessageEncoding,
  payload: unknown,
  input: PublishInput,
): Omit<OutgoingMessage, 'shard'> {
  const { shardingKey, messageId, timestamp, headers: given } = input;
  const headers: MessageHeaders | undefined = checkMessage({ headers: given, messageId, timestamp });
  const properties = checkProperties(input);
  const key = keys.encode(shardingKey);
  const now = clock.time();
  return {
    key,
    body: encodePayload(codec, payload),
    headers: { ...headers, [PUBLISHED_AT_HEADER]: now },
    messageId: messageId ?? randomUUID(),
    timestamp: timestamp ?? Math.floor(now / 1000),
    properties,
  };
}

/** @throws {PayloadEncodeError} */
export function encodePayload(codec: PayloadCodec, payload: unknown): Uint8Array {
  try {
    const body: unknown = codec.encode(payload);
    if (body instanceof Uint8Array) return body;
    // Messages keep the order of the calls, so no promise is waited for.
    const found = isUnwantedPromise(body) ? 'a promise' : describe(body);
    throw new TypeError(`encode of the codec must return a Uint8Array at once, not ${found}`);
  } catch (error) {
    throw error instanceof PayloadEncodeError ? error : new PayloadEncodeError(error);
  }
}

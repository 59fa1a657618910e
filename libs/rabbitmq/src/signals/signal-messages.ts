import { decodeShardingKey } from '@mississippi/core/transport';
import type { ConsumeMessage, Options } from 'amqplib';
import { REPLY_TO } from '../connection/direct-reply.js';
import { asBuffer } from '../wire/as-buffer.js';
import { KEY_HEADER } from '../wire/header-names.js';

/** The longest expiration that the broker takes; it closes the channel over a larger one. Milliseconds (RabbitMQ 3.10). */
const LONGEST_EXPIRATION = 2 ** 32 - 1;

/** What the owner of a shard says to the caller: an answer of the core as it is, the transport's own words in JSON. */
export type SignalReply =
  | { readonly kind: 'started'; readonly process: string }
  | { readonly kind: 'answer'; readonly answer: Buffer }
  | { readonly kind: 'tooLarge'; readonly size: number; readonly limit: number }
  | { readonly kind: 'refused'; readonly message: string };

/** What the caller asks. */
export interface SignalRequest {
  /** In the external term format. */
  readonly key: Uint8Array;
  readonly signal: Uint8Array;
  /** Milliseconds that are left, or `Infinity`. */
  readonly timeout: number;
}

/** The properties of a request. It expires with its caller's patience: a request whose caller has gone must not run. */
export function requestProperties(id: string, { key, timeout }: Omit<SignalRequest, 'signal'>): Options.Publish {
  return {
    replyTo: REPLY_TO,
    correlationId: id,
    ...(timeout > LONGEST_EXPIRATION ? {} : { expiration: Math.ceil(timeout) }),
    headers: { [KEY_HEADER]: asBuffer(key) },
  };
}

/**
 * @throws {InvalidShardingKeyError} when the key cannot be decoded
 * @throws {TypeError} when there is none
 */
export function decodeRequest({ properties, content }: ConsumeMessage): SignalRequest {
  const key: unknown = properties.headers?.[KEY_HEADER];
  if (!(key instanceof Uint8Array)) throw new TypeError('the request has no sharding key');
  decodeShardingKey(key);
  const expiration = Number(properties.expiration);
  return { key, signal: content, timeout: expiration > 0 ? expiration : Infinity };
}

/** The reply's kind is the message's type. */
export function encodeReply(reply: SignalReply): Buffer {
  return reply.kind === 'answer' ? reply.answer : Buffer.from(JSON.stringify(reply));
}

/** @throws when it is no reply */
export function decodeReply({ properties, content }: ConsumeMessage): SignalReply {
  if (properties.type === 'answer') return { kind: 'answer', answer: content };
  return JSON.parse(content.toString()) as SignalReply;
}

import { decodeShardingKey } from '@mississippi/core/transport';
import { SignalEncodeError } from '@mississippi/core';
import type { ConsumeMessage, Options } from 'amqplib';
import { REPLY_TO } from '../connection/direct-reply.js';
import { asBuffer } from '../wire/as-buffer.js';
import { KEY_HEADER } from '../wire/header-names.js';

/** The longest expiration that the broker takes; it closes the channel over a larger one. Milliseconds (RabbitMQ 3.10). */
const LONGEST_EXPIRATION = 2 ** 32 - 1;

/** What the owner of a shard says to the caller, in JSON. */
export type SignalReply =
  | { readonly kind: 'started'; readonly process: string }
  | { readonly kind: 'answer'; readonly value?: unknown }
  | { readonly kind: 'error'; readonly name: string; readonly message: string; readonly code?: string };

/** What the caller asks. */
export interface SignalRequest {
  /** In the external term format. */
  readonly key: Uint8Array;
  readonly signal: unknown;
  /** Milliseconds that are left, or `Infinity`. */
  readonly timeout: number;
}

/** @throws {SignalEncodeError} */
export function encodeSignal(signal: unknown): Buffer {
  return encode('signal', { signal });
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
 * @throws {SyntaxError} when the signal is not JSON
 */
export function decodeRequest({ properties, content }: ConsumeMessage): SignalRequest {
  const key: unknown = properties.headers?.[KEY_HEADER];
  if (!(key instanceof Uint8Array)) throw new TypeError('the request has no sharding key');
  decodeShardingKey(key);
  const { signal } = JSON.parse(content.toString()) as { signal?: unknown };
  const expiration = Number(properties.expiration);
  return { key, signal, timeout: expiration > 0 ? expiration : Infinity };
}

/** An answer that cannot be encoded goes as the error that says so. */
export function encodeReply(reply: SignalReply): Buffer {
  try {
    return encode('answer', reply);
  } catch (error) {
    return encode('answer', errorReply(error));
  }
}

export function decodeReply({ content }: ConsumeMessage): SignalReply {
  return JSON.parse(content.toString()) as SignalReply;
}

export function errorReply(error: unknown): SignalReply {
  if (!(error instanceof Error)) return { kind: 'error', name: 'Error', message: String(error) };
  const { name, message } = error;
  const code: unknown = Reflect.get(error, 'code');
  return { kind: 'error', name, message, ...(typeof code === 'string' ? { code } : {}) };
}

function encode(what: 'signal' | 'answer', value: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(value));
  } catch (error) {
    throw new SignalEncodeError(what, error);
  }
}

import { decodeShardingKey, type WaitingCallback } from '@mississippi/core/transport';
import type { ConsumeMessage, Options } from 'amqplib';
import { REPLY_TO } from '../connection/direct-reply.js';
import { asBuffer } from '../wire/as-buffer.js';
import { DEADLINE_HEADER, KEY_HEADER, WAITING_HEADER } from '../wire/header-names.js';
import type { Deadline } from './caller-clocks.js';

/** The longest expiration that the broker takes; it closes the channel over a larger one. Milliseconds (RabbitMQ 3.10). */
const LONGEST_EXPIRATION = 2 ** 32 - 1;

/** Callbacks that one signal names, and letters of each one's key: far from the 128 KB of a frame. */
const MOST_WAITING = 100;
const MOST_KEY_LETTERS = 200;

/**
 * What the owner of a shard says to the caller: an answer of the core as it is, the transport's own words in JSON.
 * `started`: it may have begun, and the owner can be reached there. `returned`: it leaves the shard and has not started the signal. `unknown`: an owner before may have started it.
 */
export type SignalReply =
  | { readonly kind: 'started'; readonly address: string }
  | { readonly kind: 'answer'; readonly answer: Buffer }
  | { readonly kind: 'tooLarge'; readonly size: number; readonly limit: number }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'returned' }
  | { readonly kind: 'unknown' };

/** What the caller asks. */
export interface SignalRequest {
  /** In the external term format. */
  readonly key: Uint8Array;
  readonly signal: Uint8Array;
  /** Milliseconds that were left when it was sent, or `Infinity`. */
  readonly timeout: number;
  /** When its caller stops waiting; `undefined` where he waits for ever, or does not say. */
  readonly deadline: Deadline | undefined;
  /** The callbacks that wait for it. */
  readonly waiting: readonly WaitingCallback[];
}

/** The properties of a request. It expires with its caller's patience: a request whose caller has gone must not run. */
export function requestProperties(
  id: string,
  { key, timeout, deadline, waiting }: Omit<SignalRequest, 'signal'>,
): Options.Publish {
  return {
    replyTo: REPLY_TO,
    correlationId: id,
    ...(timeout > LONGEST_EXPIRATION ? {} : { expiration: Math.ceil(timeout) }),
    headers: {
      [KEY_HEADER]: asBuffer(key),
      ...(deadline === undefined ? {} : { [DEADLINE_HEADER]: `${deadline.at} ${deadline.clock}` }),
      ...(waiting.length > 0 ? { [WAITING_HEADER]: encodeWaiting(waiting) } : {}),
    },
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
  const timeout = expiration > 0 ? expiration : Infinity;
  const { [DEADLINE_HEADER]: deadline, [WAITING_HEADER]: waiting } = properties.headers!;
  return { key, signal: content, timeout, deadline: decodeDeadline(deadline), waiting: decodeWaiting(waiting) };
}

function decodeDeadline(header: unknown): Deadline | undefined {
  const [, at, clock] = /^(\d+) (\S+)$/.exec(String(header)) ?? [];
  return clock === undefined ? undefined : { at: Number(at), clock };
}

/** The innermost of them, and of their keys so much that a header frame has room for all. */
function encodeWaiting(waiting: readonly WaitingCallback[]): string {
  return JSON.stringify(waiting.slice(-MOST_WAITING).map(({ id, key }) => [id, key.slice(0, MOST_KEY_LETTERS)]));
}

/** What is none of ours says nothing about who waits. */
function decodeWaiting(header: unknown): WaitingCallback[] {
  try {
    const entries = JSON.parse(header as string) as [unknown, unknown][];
    return entries.map(([id, key]) => ({ id: String(id), key: String(key) }));
  } catch {
    return [];
  }
}

/** The reply's kind is the message's type. */
export function encodeReply(reply: SignalReply): Buffer {
  return reply.kind === 'answer' ? reply.answer : Buffer.from(JSON.stringify(reply));
}

/** Asks the caller's process what its clock shows: the message's type. The answer has the same. */
export const CLOCK = 'clock';

export interface ClockReading {
  readonly clock: string;
  readonly reading: number;
}

export function encodeReading(reading: ClockReading): Buffer {
  return Buffer.from(JSON.stringify(reading));
}

/** @throws when it is none */
export function decodeReading({ content }: ConsumeMessage): ClockReading {
  return JSON.parse(content.toString()) as ClockReading;
}

/** @throws when it is no reply */
export function decodeReply({ properties, content }: ConsumeMessage): SignalReply {
  if (properties.type === 'answer') return { kind: 'answer', answer: content };
  if (properties.type === 'started') return { kind: 'started', address: String(properties.replyTo) };
  return JSON.parse(content.toString()) as SignalReply;
}

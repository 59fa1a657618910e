import type { ShardingKey } from '../keys/sharding-key.js';
import type { MessageHeaders } from './message-headers.interface.js';
import type { MessageProperties } from './message-properties.interface.js';

/**
 * A failure, as the functions of the failure policy see it.
 * @publicApi
 */
export interface Failure extends MessageProperties {
  /** What the callback threw; a `HandlerTimeoutError` where it was abandoned. */
  readonly error: unknown;
  /** What failed. A failing `init` uses up no attempt, and no rule of `onError` is asked about it. */
  readonly callback: 'handleMessage' | 'init';
  /** From 1: which attempt at the message failed, or for how many times in a row `init` did. */
  readonly attempt: number;
  /** Name of the module instance. */
  readonly instance: string;
  readonly key: ShardingKey;
  readonly shard: number;
  readonly epoch: number;
  readonly messageId: string | undefined;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
  readonly headers: MessageHeaders;
  readonly redelivered: boolean;
  /** Whether a caller of the service's `handleMessage` waits for the message. */
  readonly direct: boolean;
}

/**
 * How long to wait before the next attempt, such as a `Retry-After`: milliseconds, more than 24 hours count as 24 hours;
 * nothing for the ordinary backoff.
 * @publicApi
 */
export type BackoffFunction = (failure: Failure) => number | undefined;

/**
 * What becomes of a message whose attempt failed: `'retry'` and nothing leave it to the ordinary policy, `'discard'` sends
 * it to the dead letters at once, `'park'` parks its key at once.
 * @publicApi
 */
export type ErrorRule = (error: unknown, failure: Failure) => ErrorVerdict | undefined;

/** @publicApi */
export type ErrorVerdict = 'retry' | 'discard' | 'park';

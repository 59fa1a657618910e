import type { ShardingKey } from '../keys/sharding-key.js';
import type { MessageHeaders } from './message-headers.interface.js';
import type { MessageProperties } from './message-properties.interface.js';

/**
 * What a message that leaves with a commit says besides its payload.
 * @publicApi
 */
export interface PublishInput extends MessageProperties {
  /** What the message is about. */
  shardingKey: ShardingKey;
  /** As those of `EventsProducer.publish`. */
  headers?: MessageHeaders;
  /** At most 255 bytes in UTF-8. Default: a random UUID, which the store keeps, so that a repeat is recognised. */
  messageId?: string;
  /** Unix time in whole seconds, from 0 on. Default: now. */
  timestamp?: number;
}

/**
 * What every callback of a handler gets as its last argument.
 * @typeParam Key what the sharding keys are. Nobody checks it: it is what your producers give
 * @publicApi
 */
export interface CallbackContext<Key extends ShardingKey = string> {
  /** Name of the module instance, `'default'` unless `forRoot({ name })` gave another. */
  readonly instance: string;
  /** The sharding key: a string where its bytes are valid UTF-8, else bytes; other terms as `decodeShardingKey` reads them. */
  readonly key: Key;
  /** Index of the key's shard, from 0. */
  readonly shard: number;
  /** The period of ownership of the shard that this callback belongs to; grows with each period. */
  readonly epoch: number;
  /** Which attempt at the message this is, from 1; 0 in a callback that no message caused. */
  readonly attempt: number;
  /** Whether the transport delivered the message before; `false` in a callback that no message caused. */
  readonly redelivered: boolean;
  /**
   * Fires when the shard is lost, a drain is past its deadline, or the callback ran for `handlerTimeout`. Made at the
   * first access, so it costs nothing where it is not used.
   */
  readonly abortSignal: AbortSignal;
  /** The name of the signal that caused the callback; `undefined` where there is none. */
  readonly signalName?: string | undefined;
  /**
   * With a store: the message leaves with the key's new state, or not at all; it is dropped when the callback fails. It is
   * encoded at once.
   * @throws {NoStoreError} without a store: use `EventsProducer`
   * @throws {NotNowError} in `init`, `activate` and `terminate`, and after the callback has ended
   */
  publish(this: void, payload: unknown, input: PublishInput): void;
  /**
   * With a store that has transactions: a transaction that commits with this message and nothing else, or not at all. It begins
   * when it is first asked for, after the key's pending commits; what the handler gets of it is the store's.
   * @throws {NoStoreError} without a store, or with one that has no transactions
   * @throws {NotNowError} in other callbacks than `handleMessage`, and after it has ended
   */
  transaction<Client = unknown>(this: void): Promise<Client>;
}

/**
 * The context of `handleMessage`: the message's own metadata too. Its properties are `undefined` where the publisher gave none.
 * @publicApi
 */
export interface MessageContext<Key extends ShardingKey = string> extends CallbackContext<Key>, MessageProperties {
  /** As the publisher set it; absent from messages of producers that set none. */
  readonly messageId: string | undefined;
  /** Unix time in seconds; absent from messages of producers that set none. */
  readonly timestamp: number | undefined;
  readonly headers: MessageHeaders;
}

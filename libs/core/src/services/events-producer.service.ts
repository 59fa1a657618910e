import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { encodeMessage } from '../outgoing/encode-message.js';
import type { MessageProperties } from '../interfaces/message-properties.interface.js';
import { checkTimeout } from './check-call.js';
import { shardOfEncoded, type ShardingKey } from '../keys/sharding-key.js';
import type { ProducerPort } from '../engine/producer-port.js';

/**
 * What `publish` is given besides the payload.
 * @publicApi
 */
export interface PublishOptions extends MessageProperties {
  /** What the message is about: messages of one key are handled in the order of their `publish` calls. */
  shardingKey: ShardingKey;
  /**
   * Text, finite numbers, integers of 64 bits (beyond 2^53 as bigint), booleans, `null`, bytes, and lists and plain objects
   * of these, at most 32 deep. `CC`, `BCC` and `sharding_key` are reserved. Copied before `publish` returns.
   */
  headers?: MessageHeaders;
  /** At most 255 bytes in UTF-8. Default: a random UUID. */
  messageId?: string;
  /** Unix time in whole seconds, from 0 on. Default: now. */
  timestamp?: number;
  /** How long to wait until the message is safely taken. Milliseconds, default `publishTimeout` of the module. */
  timeout?: number;
  /**
   * With a store: a transaction of your own in the store's database, such as a client of `pg` after `BEGIN`. The message exists exactly
   * when it commits, and leaves soon afterwards; `publish` resolves before. Of two messages of one key the one whose transaction began to
   * write first leaves first.
   */
  transaction?: unknown;
}

/**
 * Publishes messages for the handlers of one instance, in this process or in others.
 * @publicApi
 */
export class EventsProducer {
  // No #private field: a proxy around the service, as test doubles and request scopes make them, could not read it.
  private readonly runtime: { readonly engine: ProducerPort };

  /** @internal */
  constructor(runtime: { readonly engine: ProducerPort }) {
    this.runtime = runtime;
  }

  /**
   * Publishes a message. The promise resolves when the transport has safely taken it; until then the caller keeps it.
   * Calls with one key take effect in call order.
   * @throws {MissingShardingKeyError} when the sharding key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when it is no term, larger than 16 KB, or of a kind that the option `keys` does not allow
   * @throws {InvalidMessageError} when timestamp, message id, a property or a header, which is named, cannot be sent, or the timeout is no time
   * @throws {PayloadEncodeError} when the payload cannot be encoded; nothing was sent
   * @throws {PublishTimeoutError} after `timeout`; whether the message was taken is unknown
   * @throws {PublishError} when the transport refused it or is closed; its `reason` says which
   * @throws {NoStoreError} with `transaction`, when the instance has no store with transactions
   * @throws {NotStartedError} before the app's modules are initialised
   */
  publish(payload: unknown, options: PublishOptions): Promise<void> {
    // No async function: what it keeps until the confirm would be half of what the message keeps.
    try {
      return this.send(payload, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private send(payload: unknown, options: PublishOptions): Promise<void> {
    const { engine } = this.runtime;
    const given = options ?? ({} as PublishOptions);
    checkTimeout(given.timeout);
    const connection = engine.connection();
    const message = encodeMessage(engine, payload, given);
    const shard = shardOfEncoded(message.key, connection.totalCount);
    return engine.publish({ shard, ...message }, given.timeout ?? engine.publishTimeout, given.transaction);
  }
}

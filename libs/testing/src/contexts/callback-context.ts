import {
  DEFAULT_INSTANCE,
  NoStoreError,
  shardOf,
  type CallbackContext,
  type MessageContext,
  type Publication,
  type PublishInput,
  type ShardingKey,
} from '@mississippi/core';

/**
 * What a context is made of; all but the key may be left out.
 * @publicApi
 */
export type CallbackContextParts<Key extends ShardingKey = string> = Partial<
  Omit<CallbackContext<Key>, 'publish' | 'transaction' | 'abortSignal'>
> & {
  readonly key: Key;
  /** What `transaction()` resolves with; left out, it rejects with `NoStoreError`, as without a store. */
  readonly transaction?: unknown;
};

/**
 * The same of a context with a message.
 * @publicApi
 */
export type MessageContextParts<Key extends ShardingKey = string> = CallbackContextParts<Key> &
  Partial<Omit<MessageContext<Key>, keyof CallbackContext<Key>>>;

/**
 * What a context of a test has besides.
 * @publicApi
 */
export interface TestContext {
  /** What the handler gave to `publish`, in order. */
  readonly published: readonly Publication[];
  /** Fires the context's `abortSignal`. */
  abort(reason?: unknown): void;
}

/**
 * A context for a plain unit test of a callback that no message causes: `init`, `handleSignal`, `handleContinue`.
 * @example handler.handleSignal('balance', { cents: 5 }, callbackContext({ key: 'alice' }))
 * @publicApi
 */
export function callbackContext<Key extends ShardingKey = string>(
  parts: CallbackContextParts<Key>,
): CallbackContext<Key> & TestContext {
  return new RecordingContext(parts, parts.attempt ?? 0);
}

/**
 * A context for a plain unit test of a method that handles a message, without Nest.
 * @example
 * const context = messageContext({ key: 'alice', type: 'order.paid' });
 * handler.handleMessage({ cents: 5 }, state, context);
 * expect(context.published).toEqual([]);
 * @publicApi
 */
export function messageContext<Key extends ShardingKey = string>(
  parts: MessageContextParts<Key>,
): MessageContext<Key> & TestContext {
  const { messageId = 'test-1', timestamp, headers = {} } = parts;
  const { type, contentType, contentEncoding, correlationId, replyTo, appId } = parts;
  const properties = { type, contentType, contentEncoding, correlationId, replyTo, appId };
  return Object.assign(new RecordingContext(parts, parts.attempt ?? 1), {
    messageId,
    timestamp,
    headers,
    ...properties,
  });
}

/** What a handler may take out of the real one, it may take out of this one. */
class RecordingContext<Key extends ShardingKey> implements CallbackContext<Key>, TestContext {
  readonly key: Key;
  readonly instance: string;
  readonly shard: number;
  readonly epoch: number;
  readonly redelivered: boolean;
  readonly #published: Publication[] = [];
  readonly #controller = new AbortController();
  readonly #client: unknown;

  constructor(
    parts: CallbackContextParts<Key>,
    readonly attempt: number,
  ) {
    const { key, instance = DEFAULT_INSTANCE, shard = shardOf(key), epoch = 1, redelivered = false } = parts;
    this.key = key;
    this.instance = instance;
    this.shard = shard;
    this.epoch = epoch;
    this.redelivered = redelivered;
    this.#client = parts.transaction;
  }

  get abortSignal(): AbortSignal {
    return this.#controller.signal;
  }

  get published(): readonly Publication[] {
    return this.#published;
  }

  readonly publish = (payload: unknown, input: PublishInput): void => {
    this.#published.push({ ...input, payload });
  };

  readonly transaction = async <Client = unknown>(): Promise<Client> => {
    if (this.#client === undefined) throw new NoStoreError('context.transaction()');
    return this.#client as Client;
  };

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }
}

import type { ShardingKey } from '../keys/sharding-key.js';
import type { MessageOutcome, Reply } from '../outcomes.js';
import type { PublishOptions } from '../services/events-producer.service.js';
import type { MessageContext } from './callback-context.interface.js';
import type { DataUpdaterHandler } from './data-updater-handler.interface.js';
import type { MessageTypesOf } from './message-types.interface.js';

/**
 * The keys of a handler class, as its `init` takes them.
 * @publicApi
 */
export type KeyOf<Handler> = Handler extends { init(key: infer Key extends ShardingKey, ...rest: never[]): unknown }
  ? Key
  : ShardingKey;

/**
 * How a signal of a client is sent.
 * @publicApi
 */
export interface SignalOptions {
  /** How long to wait for the answer. Milliseconds, default `signalTimeout` of the module. */
  timeout?: number;
}

/**
 * What `DataUpdaterService.for(Handler)` returns.
 * @publicApi
 */
export interface HandlerClient<Handler> {
  /** @throws {NotStartedError} before the app's modules are initialised */
  key(shardingKey: KeyOf<Handler>): KeyClient<Handler>;
}

/**
 * One key of a handler, with the handler's own methods: those with `@OnSignal` as signals, by the method's name; `publish` for what
 * the class lists in `messageTypes`.
 * @publicApi
 */
export type KeyClient<Handler> = {
  [Name in SignalMethod<Handler>]: SignalCall<Handler[Name]>;
} & {
  /** Publishes a message of a type; see `EventsProducer.publish`. */
  publish<Type extends keyof MessageTypesOf<Handler> & string>(
    type: Type,
    payload: MessageTypesOf<Handler>[Type],
    options?: Omit<PublishOptions, 'shardingKey' | 'type'>,
  ): Promise<void>;
};

/**
 * A signal as its caller sees it: the handler's first parameter, and its answer.
 * @publicApi
 */
export type SignalCall<Method> = Method extends (...args: infer Args) => infer Answer
  ? (
      ...args: Args extends readonly []
        ? [signal?: undefined, options?: SignalOptions]
        : undefined extends Args[0]
          ? [signal?: Args[0], options?: SignalOptions]
          : [signal: Args[0], options?: SignalOptions]
    ) => Promise<
      Awaited<Answer> extends infer Given ? (Given extends Reply<unknown, infer Value> ? Value : Given) : never
    >
  : never;

/**
 * The methods of a class that may be signals. Decorators do not change a class's type, so what can be no signal is left out: the
 * other callbacks, what answers with an outcome, and what asks for the context of a message.
 * @publicApi
 */
export type SignalMethod<Handler> = {
  [Name in keyof Handler]: Name extends keyof DataUpdaterHandler | 'publish'
    ? never
    : Handler[Name] extends (...args: infer Args) => infer Answer
      ? true extends IsMessageContext<Args[number]> | IsOutcome<Awaited<Answer>>
        ? never
        : Name
      : never;
}[keyof Handler];

/**
 * Whether a parameter asks for the context of a message.
 * @publicApi
 */
export type IsMessageContext<Argument> = 0 extends 1 & Argument
  ? false
  : Argument extends MessageContext<ShardingKey>
    ? true
    : false;

/**
 * Whether an answer may be the outcome of a message.
 * @publicApi
 */
export type IsOutcome<Answer> = 0 extends 1 & Answer
  ? false
  : [Extract<Answer, MessageOutcome<unknown>>] extends [never]
    ? false
    : true;

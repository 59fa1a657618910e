import type { Observable } from 'rxjs';
import type { Engine } from '../engine/engine.js';
import type { HandlerClient } from '../interfaces/key-client.interface.js';
import type { DataUpdaterRef, LiveKey } from '../interfaces/live-key.interface.js';
import type { EngineStatus } from '../interfaces/status.interface.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../interfaces/message-properties.interface.js';
import type { ProcessInfo } from '../interfaces/status.interface.js';
import { shardOfEncoded, type ShardingKey } from '../keys/sharding-key.js';
import type { DirectMessageInput } from '../engine/keys/direct-message.js';
import type { MessageOutcome } from '../outcomes.js';
import { checkDirectMessage } from '../outgoing/check-message.js';
import { checkProperties } from '../outgoing/check-properties.js';
import { checkSignalName, checkTimeout } from './check-call.js';
import { EventsProducer } from './events-producer.service.js';
import { clientOf } from './handler-client.js';

/**
 * Where the service finds the engine once the app has started.
 * @internal
 */
export interface EngineAccess {
  readonly engine: Engine;
  readonly events: Observable<MississippiEvent>;
}

/**
 * A message that another transport brought (HTTP, TCP, a timer...).
 * @publicApi
 */
export interface DirectMessage<Payload = unknown> extends MessageProperties {
  /** As the handler is to see it: it is neither encoded nor decoded, but a payload class is applied. */
  payload: Payload;
  headers?: MessageHeaders;
  messageId?: string;
  /** Unix time in whole seconds. */
  timestamp?: number;
}

/**
 * Reaches the data updaters of one instance from controllers and other providers.
 * @publicApi
 */
export class DataUpdaterService {
  // No #private field: a proxy around the service, as test doubles and request scopes make them, could not read it.
  private readonly runtime: EngineAccess;

  /** @internal */
  constructor(runtime: EngineAccess) {
    this.runtime = runtime;
  }

  /**
   * The one data updater of a key, started if need be: the same reference while it lives, a fresh one after it ended.
   * @throws {DataUpdaterStartError} when `init` fails; its `cause` says why
   * @throws {ShardNotOwnedError} when the key's shard lives in another process
   * @throws {ShuttingDownError} when the app closes
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   * @throws {OwnKeyError} when called from inside a callback of the same key
   * @throws {WaitingCycleError} when called from inside a callback that the key waits for
   */
  async getDataUpdater(shardingKey: ShardingKey): Promise<DataUpdaterRef> {
    return this.runtime.engine.calls.getDataUpdater(this.encode(shardingKey));
  }

  /**
   * Handles a message that another transport brought: it enters the tail of the key's FIFO, waits for those before it and is
   * retried by the failure policy. It is never dead-lettered or parked, and is lost with the process: the caller keeps
   * it until the promise settles.
   * @param options `timeout` in milliseconds, default `Infinity`. What has not started by then never does, and what failed
   * is not tried again. An attempt that runs goes on: it may take effect, and changes the state.
   * @returns the handler's outcome; its `kind` is `'ack'`, `'discard'` or `'stop'`
   * @throws {AttemptsExhaustedError} when every attempt failed, those in which `init` failed included; its `cause` is the last error
   * @throws {MessageTimeoutError} after the time-out; its `stage` says how far the message came
   * @throws {KeyParkedError} while the key is parked, or when it is parked before the message has started; its `state` says why, and so what helps
   * @throws {ShardNotOwnedError} when the key's shard lives in another process, or is lost before the message is handled
   * @throws {ShuttingDownError} when the app closes before the message is handled
   * @throws {InvalidMessageError} when it is no message, its id, timestamp, properties or headers cannot be, or `timeout` is no time
   * @throws {PayloadInvalidError} when the payload does not validate
   * @throws {PayloadDecodeError} when it cannot be turned into the payload class
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   * @throws {OwnKeyError} when called from inside a callback of the same key
   * @throws {WaitingCycleError} when called from inside a callback that the key waits for
   */
  handleMessage<State = unknown>(
    shardingKey: ShardingKey,
    message: DirectMessage,
    options?: { timeout?: number },
  ): Promise<MessageOutcome<State>> {
    // No async function, which would add a promise to each message.
    try {
      const headers = checkDirectMessage(message);
      checkTimeout(options?.timeout);
      const { payload, messageId, timestamp } = message;
      const own = {
        payload,
        messageId,
        timestamp,
        headers,
        properties: checkProperties(message),
      } as DirectMessageInput;
      const { calls } = this.runtime.engine;
      return calls.handleMessage(this.encode(shardingKey), own, options?.timeout) as Promise<MessageOutcome<State>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Asks the key's data updater, started if need be, and returns the handler's answer. It waits for the callback that
   * is running, not for the messages in the FIFO. Signal and answer are copies, made by the codec of the option `signals`
   * (JSON by default) when this is called and when the handler has answered, wherever the key lives.
   * @param options `timeout` in milliseconds, default `signalTimeout`; `name` of the signal, by which `@OnSignal(name)` finds the method
   * @throws {SignalTimeoutError} after the time-out; its `started` says whether the signal runs
   * @throws {DataUpdaterStartError} when `init` fails
   * @throws {InvalidMessageError} when `timeout` is no time, or `name` no text of 1 to 255 bytes
   * @throws {SignalNotHandledError} when the handler has no method for it
   * @throws {NoOwnerError} when no process owned the key's shard until the time-out
   * @throws {SignalOutcomeUnknownError} when the owner's process ended after it had accepted the signal
   * @throws {SignalEncodeError} when the codec does not carry the signal, and nothing was sent, or the answer: the handler
   *   has then done its work
   * @throws {SignalTooLargeError} when one of them has more than 16 MB encoded, or more than the broker takes
   * @throws {SignalDecodeError} when one of them cannot be read, since the processes have different codecs
   * @throws {HttpException} for one that a guard, pipe or handler throws: as the nearest of Nest's own, with its status and
   *   response
   * @throws {RemoteSignalError} for anything else that the handler throws: name, message and code
   * @throws {ShardNotOwnedError} when the shard is lost before the signal runs, where there is no other process to ask
   * @throws {ShuttingDownError} when the app closes
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   * @throws {OwnKeyError} when called from inside a callback of the same key
   * @throws {WaitingCycleError} when called from inside a callback that the key waits for
   */
  async handleSignal<Answer = unknown>(
    shardingKey: ShardingKey,
    signal: unknown,
    options?: { timeout?: number; name?: string },
  ): Promise<Answer> {
    checkTimeout(options?.timeout);
    checkSignalName(options?.name);
    const { calls } = this.runtime.engine;
    return (await calls.handleSignal(this.encode(shardingKey), signal, options?.timeout, options?.name)) as Answer;
  }

  /**
   * A client for the handler's own methods, which the compiler checks: `for(OrderHandler).key(id).status()` is a signal to the method
   * `status`, `.publish('order.paid', event)` publishes what the class lists in `messageTypes`. The class of a part is as good. Wherever
   * the key lives, it is the same.
   * @throws {InvalidHandlerError} when the class is decorated neither as a handler nor as a part, or for another instance
   */
  for<Handler extends object>(handler: abstract new (...args: never[]) => Handler): HandlerClient<Handler> {
    return clientOf(handler, {
      instance: () => this.runtime.engine.instance,
      typeFrom: () => this.runtime.engine.typeFrom,
      signal: (key, signal, options) => this.handleSignal(key, signal, options),
      publish: (payload, options) => new EventsProducer(this.runtime).publish(payload, options),
    });
  }

  /**
   * Parks a key: from its next message on, everything goes to the side queue, in order, until {@link resume}. An attempt
   * that runs may finish. A key that is parked before it has any message is parked in this process only.
   * @throws {ShardNotOwnedError} when the key's shard lives in another process
   * @throws {ShuttingDownError} when the app closes
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   */
  async park(shardingKey: ShardingKey): Promise<void> {
    return this.runtime.engine.calls.park(this.encode(shardingKey));
  }

  /**
   * Feeds a parked key from the side queue until none of it is left, then from the shard. Attempts start at one.
   * @throws {KeyNotParkedError} when the key is not parked, is fed already, or is parked under pressure and resumes by itself
   * @throws {ShardNotOwnedError} when the key's shard lives in another process
   * @throws {ShuttingDownError} when the app closes
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   */
  async resume(shardingKey: ShardingKey): Promise<void> {
    return this.runtime.engine.calls.resume(this.encode(shardingKey));
  }

  /**
   * Drops the first message of a parked key: it goes to the dead letters with the reason `dropped`.
   * @throws {KeyNotParkedError} when the key is not parked, is being resumed, or has no message in the side queue
   * @throws {PublishError} when the dead letter was refused; the message stays where it was
   * @throws {SessionEndedError} when the shard is lost meanwhile; whether the message was dropped is unknown
   * @throws {ShardNotOwnedError} when the key's shard lives in another process
   * @throws {ShuttingDownError} when the app closes
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   */
  async drop(shardingKey: ShardingKey): Promise<void> {
    return this.runtime.engine.calls.drop(this.encode(shardingKey));
  }

  /**
   * The state of a key as the store has it, whoever owns the key; `undefined` where there is none. Of what is not committed yet it knows
   * nothing.
   * @throws {NoStoreError} where the instance has no store
   * @throws {StoreUnavailableError} when it cannot be reached
   * @throws {StateDecodeError} when the state cannot be read
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   */
  async state<State = unknown>(shardingKey: ShardingKey): Promise<State | undefined> {
    return (await this.runtime.engine.calls.state(this.encode(shardingKey))) as State | undefined;
  }

  /**
   * Forgets a key, in its turn: its stored state goes, its data updater ends, and `init` makes the next state. Messages that wait are
   * handled afterwards. What the inbox knows of the key stays.
   * @throws {NoStoreError} where the instance has no store
   * @throws {ShardNotOwnedError} when the key's shard lives in another process
   * @throws {SignalOutcomeUnknownError} when the shard is lost before the outcome is known
   * @throws {OwnKeyError} when called from inside a callback of the same key: use the outcome's option `forget`
   * @throws {WaitingCycleError} when called from inside a callback that the key waits for
   * @throws {ShuttingDownError} when the app closes
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   */
  async forget(shardingKey: ShardingKey): Promise<void> {
    await this.runtime.engine.calls.forget(this.encode(shardingKey));
  }

  /**
   * Which shard a key belongs to, of the `totalCount` shards that the transport has.
   * @throws {NotStartedError} before the app's modules are initialised
   * @throws {MissingShardingKeyError} when the key is `undefined`, `null` or `''`
   * @throws {InvalidShardingKeyError} when the key is no term, too large, or of a kind that the option `keys` does not allow
   */
  shardOf(shardingKey: ShardingKey): number {
    return shardOfEncoded(this.encode(shardingKey), this.runtime.engine.totalCount);
  }

  /**
   * The keys with a data updater, queued messages or parked ones, in no particular order.
   * @throws {NotStartedError} before the app's modules are initialised
   */
  liveKeys(): IterableIterator<LiveKey> {
    return this.runtime.engine.liveKeys();
  }

  /**
   * Counts of what this process owns, does and waits for.
   * @throws {NotStartedError} before the app's modules are initialised
   */
  status(): EngineStatus {
    return this.runtime.engine.status();
  }

  /**
   * The processes that take part and the shards that each owns, this one among them. A process that does not answer within
   * a second is left out.
   * @throws {NotStartedError} before the app's modules are initialised
   */
  async processes(): Promise<ProcessInfo[]> {
    return this.runtime.engine.processes();
  }

  /** What happens, as it happens. Costs nothing while nobody listens. */
  get events(): Observable<MississippiEvent> {
    return this.runtime.events;
  }

  private encode(shardingKey: ShardingKey): Uint8Array {
    return this.runtime.engine.keys.encode(shardingKey);
  }
}

import type { MessageOutcome, Ok, Reply } from '../outcomes.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import type { CallbackContext, MessageContext } from './callback-context.interface.js';

/**
 * What a callback returns: the value, or a promise of it.
 * @publicApi
 */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Why a data updater ends: a word of the library's own, the error of a failed callback, or whatever the handler gave
 * to `stop(reason)`.
 *
 * - `'idle'`: nothing arrived for `idleTimeout`
 * - `'evicted'`: more than `maxLiveKeys` keys were live and this one was idle the longest
 * - `'shardLost'`: another process may own the shard by now; outcomes of this epoch settle nothing
 * - `'shardReleased'`: the shard is handed over in good order
 * - `'shutdown'`: the app closes
 * - `'forgotten'`: an outcome or the service forgot the key
 * - `'operator'`: an operator deactivated it
 * @publicApi
 */
export type TerminateReason =
  'idle' | 'evicted' | 'shardLost' | 'shardReleased' | 'shutdown' | 'forgotten' | 'operator' | Error | unknown;

/**
 * The callbacks of a handler that are about a key rather than about its messages: what a class implements that has nothing but
 * methods with `@OnMessage` and `@OnSignal` beside them.
 *
 * @typeParam State what `init` makes and the callbacks get
 * @typeParam Key what the sharding keys are, as in {@link DataUpdaterHandler}
 * @publicApi
 */
export interface DataUpdaterLifecycle<State = unknown, Key extends ShardingKey = string> {
  /**
   * Makes the state of a key when its data updater starts. Left out, the state is `undefined`.
   * A failure uses up no attempt of a message: it is tried again with a capped backoff, without limit. Only where a
   * caller waits, in `DataUpdaterService.handleMessage`, it counts as an attempt.
   */
  init?(key: Key, context: CallbackContext<Key>): MaybePromise<State>;

  /**
   * Runs at each start of a key's data updater where there is a store, after its state was loaded or made by `init`: for what the
   * state does not hold, a connection say. A failure is one of `init`.
   */
  activate?(state: State, context: CallbackContext<Key>): MaybePromise<void>;

  /**
   * Turns a stored state of an earlier `stateVersion` into one of the present. What it returns is stored with the next commit. While
   * it fails the key waits, and the stored state stays as it is.
   * @param from the version that the state was stored with
   */
  migrate?(state: unknown, from: number): MaybePromise<State>;

  /** Runs after a message was settled with `{ continue: arg }`. A throw ends the data updater; the message stays settled. */
  handleContinue?(
    arg: unknown,
    state: State,
    context: CallbackContext<Key>,
  ): MaybePromise<Ok<State> | void | undefined>;

  /** The last callback of a data updater. Not called when a callback ran over its time-out. Errors are logged. */
  terminate?(reason: TerminateReason, state: State, context: CallbackContext<Key>): MaybePromise<void>;
}

/**
 * The user's class that processes messages: one singleton Nest provider per instance of the module, decorated with
 * `@MessageHandler()`. The state of each sharding key is apart from it and is handed to every callback.
 *
 * Callbacks of one key never overlap; callbacks of different keys run side by side. Each may be synchronous or return
 * a promise. A callback that throws ends the key's data updater: its state is dropped and `init` makes a new one.
 *
 * @typeParam State what `init` makes and the callbacks get
 * @typeParam Payload what `handleMessage` gets; see the option `payload`
 * @typeParam Key what the sharding keys are, as `number`. Nobody checks it: it is what your producers give; `ShardingKey`
 * stands for whatever a producer could give
 * @typeParam Signal what `handleSignal` gets
 * @typeParam Answer what it answers
 * @publicApi
 */
export interface DataUpdaterHandler<
  State = unknown,
  Payload = unknown,
  Key extends ShardingKey = string,
  Signal = unknown,
  Answer = unknown,
> extends DataUpdaterLifecycle<State, Key> {
  /**
   * Handles one message. Returning nothing acks and keeps the state; see `ack`, `discard` and `stop`.
   * Throwing, or returning anything else, is a failed attempt that the failure policy retries.
   */
  handleMessage(
    payload: Payload,
    state: State,
    context: MessageContext<Key>,
  ): MaybePromise<MessageOutcome<State> | void | undefined>;

  /**
   * Answers a signal: the returned value is the answer, `reply(value, state)` changes the state too. The caller gets a copy,
   * made when this has ended; an answer that the codec does not carry rejects the caller, and the new state stands.
   */
  handleSignal?(
    signal: Signal,
    state: State,
    context: CallbackContext<Key>,
  ): MaybePromise<Reply<State, Answer> | Answer>;
}

import type { PublishInput } from './interfaces/callback-context.interface.js';

/**
 * What a handler's callbacks answer. The classes are not constructed by hand: use {@link ack}, {@link discard},
 * {@link stop}, {@link ok} and {@link reply}.
 */

/**
 * Asks for `handleContinue(arg)` after the message was settled, before the key's next message or signal.
 * @publicApi
 */
export interface ContinueOption {
  /** Passed to `handleContinue`. The option counts by being present: `{ continue: undefined }` continues too. */
  continue: unknown;
}

/**
 * What an outcome does besides, where there is a store.
 * @publicApi
 */
export interface CommitOptions {
  /** Messages that leave with the commit, as those of `context.publish`, after these. */
  publish?: readonly Publication[];
  /** The key is forgotten: its stored state goes, its data updater ends, and `init` makes the next state. */
  forget?: boolean;
}

/**
 * A message that leaves with a commit.
 * @publicApi
 */
export interface Publication extends PublishInput {
  readonly payload: unknown;
}

/**
 * What `ack` and `discard` may be told.
 * @publicApi
 */
export type OutcomeOptions = Partial<ContinueOption> & CommitOptions;

/**
 * What `stop` may be told.
 * @publicApi
 */
export interface StopOptions<State> extends CommitOptions {
  /** How the message is settled: `'ack'` (default) or `'discard'`, as the functions of these names. */
  settle?: 'ack' | 'discard';
  /** The state that `terminate` gets, and that is stored where there is a store; left out or `undefined`, the state is kept. */
  state?: State | undefined;
}

/**
 * The message was handled: settle it.
 * @publicApi
 */
export class Ack<State> {
  readonly kind = 'ack';

  constructor(
    /** The new state; `undefined` keeps the old one. */
    readonly state: State | undefined,
    readonly continuation: ContinueOption | undefined,
    readonly commit?: CommitOptions | undefined,
  ) {}
}

/**
 * The message is refused for good: it goes to the dead letters and is settled. It is not retried.
 * @publicApi
 */
export class Discard<State> {
  readonly kind = 'discard';

  constructor(
    readonly reason: unknown,
    readonly state: State | undefined,
    readonly continuation: ContinueOption | undefined,
    readonly commit?: CommitOptions | undefined,
  ) {}
}

/**
 * The message is settled, `terminate(reason)` runs and the data updater ends; the next message starts a fresh one.
 * @publicApi
 */
export class Stop<State> {
  readonly kind = 'stop';

  constructor(
    readonly reason: unknown,
    readonly settlement: 'ack' | 'discard',
    readonly state: State | undefined,
    readonly commit?: CommitOptions | undefined,
  ) {}
}

/**
 * A new state and nothing else: the answer of `handleContinue`.
 * @publicApi
 */
export class Ok<State> {
  declare readonly commit?: CommitOptions;

  constructor(
    readonly state: State | undefined,
    commit?: CommitOptions,
  ) {
    if (commit !== undefined) this.commit = commit;
  }
}

/**
 * An answer to a signal together with a new state.
 * @publicApi
 */
export class Reply<State, Value> {
  constructor(
    readonly value: Value,
    readonly state: State | undefined,
    readonly commit?: CommitOptions | undefined,
  ) {}
}

/**
 * What `handleMessage` may answer. Nothing (`undefined`) acks and keeps the state.
 * @publicApi
 */
export type MessageOutcome<State> = Ack<State> | Discard<State> | Stop<State>;

/** Whether an outcome refuses its message for good. */
export function isDiscard(outcome: MessageOutcome<unknown>): outcome is Discard<unknown> | Stop<unknown> {
  return outcome instanceof Discard || (outcome instanceof Stop && outcome.settlement === 'discard');
}

const ACK = new Ack<never>(undefined, undefined);

/**
 * The message was handled.
 * @param state the key's new state; left out or `undefined`, the state is kept
 * @param options `{ continue: arg }` runs `handleContinue(arg)` once the message is settled; with a store also {@link CommitOptions}
 * @example return ack({ ...state, count: state.count + 1 });
 * @publicApi
 */
export function ack<State = never>(state?: State, options?: OutcomeOptions): Ack<State> {
  return state === undefined && options === undefined ? ACK : new Ack(state, continuationIn(options), options);
}

/**
 * The message is refused for good: it is published to the dead letters with this reason, then settled. Never retried.
 * @param reason why, for the dead letter's headers: a string, or an Error of which the message is taken
 * @param state the key's new state; left out or `undefined`, the state is kept
 * @param options `{ continue: arg }` runs `handleContinue(arg)` once the message is settled; with a store also {@link CommitOptions}
 * @publicApi
 */
export function discard<State = never>(reason: unknown, state?: State, options?: OutcomeOptions): Discard<State> {
  return new Discard(reason, state, continuationIn(options), options);
}

/**
 * Settles the message, then calls `terminate(reason)` and ends the data updater. The key's next message or signal
 * starts a fresh one.
 * @param reason passed to `terminate`
 * @param options how the message is settled, the last state, and with a store what {@link CommitOptions} says
 * @throws {TypeError} when the options are none
 * @example return stop('sold', { settle: 'discard' });
 * @publicApi
 */
export function stop<State = never>(reason: unknown, options: StopOptions<State> = {}): Stop<State> {
  // In JavaScript nothing else would tell of the former stop(reason, 'discard'), which would ack.
  if (typeof options !== 'object')
    throw new TypeError('stop(reason, options): options such as { settle: "discard" } were expected');
  const { settle = 'ack', state, ...commit } = options;
  return new Stop(reason, settle, state, Object.keys(commit).length === 0 ? undefined : commit);
}

/**
 * The answer of `handleContinue` when the state changes. Returning nothing keeps the state.
 * @publicApi
 */
export function ok<State>(state?: State, options?: CommitOptions): Ok<State> {
  return new Ok(state, options);
}

/**
 * The answer of `handleSignal` when the state changes with it. A plain value that is returned answers the signal and
 * keeps the state.
 * @publicApi
 */
export function reply<Value, State = never>(value: Value, state?: State, options?: CommitOptions): Reply<State, Value> {
  return new Reply(value, state, options);
}

/** It counts by being present. */
function continuationIn(options: OutcomeOptions | undefined): ContinueOption | undefined {
  return options !== undefined && 'continue' in options ? (options as ContinueOption) : undefined;
}

import type { LetterFilter } from '../engine/operator/letter-filter.js';
import type {
  DeadLetterDetails,
  DeadLetterFilter,
  DeadLetterList,
  DeadLetterProgress,
} from '../interfaces/dead-letter.interface.js';
import type {
  DropProgress,
  KeyFilter,
  KeyList,
  KeyReport,
  KeyWatch,
  ShardReport,
} from '../interfaces/operator.interface.js';
import type { ProcessInfo } from '../interfaces/status.interface.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import type { OperatorRequest } from '../signals/operator-request.js';
import type { AuditFilter, AuditList, StateChangeOptions, StateReport } from '../interfaces/stored-state.interface.js';
import { checkFilter, checkMessageType, checkRate, checkSince, checkStateChange, checkTimeout } from './check-call.js';
import type { EngineAccess } from './data-updater.service.js';

/** @publicApi */
export interface OperatorOptions {
  /** How long the owner may take to answer. Milliseconds, default `signalTimeout`. */
  timeout?: number | undefined;
}

/**
 * Which first message of a key is meant.
 * @publicApi
 */
export interface FirstMessageOptions extends OperatorOptions {
  /**
   * The id of the message that has to come first, as {@link KeyReport.head} tells it; where another one does, nothing is done
   * (`HeadChangedError`). Left out, whichever comes first is meant.
   */
  messageId?: string | undefined;
}

/** @publicApi */
export interface ReplayOptions {
  /** Messages a second. Default 500. */
  rate?: number;
  progress?: (progress: DeadLetterProgress) => void;
  /** Ends it when it fires, behind what is under way; the promise resolves with how far it came. */
  signal?: AbortSignal;
}

/**
 * Sees which key is stuck and why, and frees it, in whatever process it lives. Each call may reject with:
 *
 * - `OperatorTimeoutError` when the owner did not answer in time; its `started` says whether it may take effect yet
 * - `NoOwnerError` when no process owned the shard until then
 * - `SignalOutcomeUnknownError` when the owner's process ended after it had begun: look at the key before you ask again
 * - `RemoteOperatorDisabledError` when the owner takes no actions from other processes
 * - `OperatorNotUnderstoodError` when the owner's process is of an earlier version
 * - `ShardNotOwnedError` where the shard lives elsewhere and the transport reaches no other process
 * - `NotStartedError` before the app's modules are initialised, `ShuttingDownError` when it closes
 * - `MissingShardingKeyError`, `InvalidShardingKeyError`, `InvalidMessageError` when the key, or the time-out, is none
 *
 * What is interrupted half-way, by a `kill -9` too, loses no message and leaves each key in order.
 * @publicApi
 */
export class MississippiOperator {
  // No #private field: a proxy around it, as test doubles and request scopes make them, could not read it.
  private readonly runtime: Pick<EngineAccess, 'engine'>;

  /** @internal */
  constructor(runtime: Pick<EngineAccess, 'engine'>) {
    this.runtime = runtime;
  }

  /**
   * The processes that take part and the shards that each owns, this one among them.
   * @throws {NobodyAnswersError} when none of them answers for the others within five seconds, as where that one is frozen; so do
   * {@link shards} and {@link keys}, which ask this first
   */
  async processes(): Promise<ProcessInfo[]> {
    return this.runtime.engine.processes();
  }

  /**
   * All shards: who owns each, what waits in it, what is under way, how fast it is.
   * @param options `over`: the time over which the rate is taken, in milliseconds, default 1,000; so long the answer takes
   */
  async shards({ over = 1_000, ...options }: OperatorOptions & { over?: number } = {}): Promise<ShardReport[]> {
    checkTimeout(over);
    return this.calls.shards(over, this.timeout(options));
  }

  /**
   * Keys of all processes, those in trouble first. Keys that only have messages in the broker are not among them. Sixteen shards are asked
   * at a time; of a process that answers for none of them in time the others are not asked, and are among the `unanswered`.
   */
  async keys(options: OperatorOptions & KeyFilter = {}): Promise<KeyList> {
    return this.calls.keys(options, this.timeout(options));
  }

  /** One key; `undefined` where nothing of it is in memory or parked. */
  async key(shardingKey: ShardingKey, options?: OperatorOptions): Promise<KeyReport | undefined> {
    return this.ask(shardingKey, { call: 'key' }, options);
  }

  /**
   * One key, where its last error was thrown, and what has happened to it since somebody began to ask. Its owner notes that for 10 seconds each time, so whoever asks every
   * second or so sees it all; of a key that moves to another owner it begins anew.
   */
  async watch(shardingKey: ShardingKey, options: OperatorOptions = {}): Promise<KeyWatch> {
    return this.calls.watch(this.encode(shardingKey), this.timeout(options));
  }

  /**
   * Tries the key's first message at once, where it waits for its next attempt, under pressure too. Of a key that is parked until
   * somebody resumes it the first message is tried by the failure policy's rules, and whatever becomes of it, the key is held again
   * behind it: so a mended handler can be tried on one message. Asked twice, it may try two, unless it names the one that it means.
   * @returns the key as it is then, the attempt under way
   * @throws {HeadNotWaitingError} when no first message waits; its `state` says what it does
   * @throws {HeadChangedError} when another message comes first
   */
  async retry(
    shardingKey: ShardingKey,
    { messageId, ...options }: FirstMessageOptions = {},
  ): Promise<KeyReport | undefined> {
    return this.ask(shardingKey, { call: 'retry', messageId }, options);
  }

  /**
   * Gives the key's first message up: it goes to the dead letters with the reason `dropped`, and the key goes on behind it, or stays
   * parked. Resolves when the dead letter is certain; it says for what the message had failed. Asked twice, it drops two messages, unless it
   * names the one that it means.
   * @throws {HeadNotWaitingError} when the first message is being handled, or there is none; its `state` says which
   * @throws {HeadChangedError} when another message comes first
   * @throws {PublishError} when the dead letter was refused; the message stays where it was
   */
  async drop(
    shardingKey: ShardingKey,
    { messageId, ...options }: FirstMessageOptions = {},
  ): Promise<KeyReport | undefined> {
    return this.ask(shardingKey, { call: 'drop', messageId }, options);
  }

  /**
   * Gives up all messages of a parked key that lie in the side queue at this moment: they go to the dead letters, in order. The key stays
   * parked until {@link resume}. Done in parts of 100, each with its own time-out. Asked twice, it drops what has come meanwhile too, unless it
   * names the message from which on it means.
   * @param options `progress` is called after each part
   * @returns how many were dropped
   * @throws {KeyNotParkedError} when the key is not held, or not any more: `progress` was told of what was dropped by then
   * @throws {HeadChangedError} when another message comes first
   */
  async dropAll(
    shardingKey: ShardingKey,
    {
      progress = () => undefined,
      messageId,
      ...options
    }: FirstMessageOptions & { progress?: (progress: DropProgress) => void } = {},
  ): Promise<number> {
    return this.calls.dropAll(this.encode(shardingKey), messageId, this.timeout(options), progress);
  }

  /**
   * Parks the key: from its first message on, everything goes to the side queue, in order, until {@link resume}. An attempt that runs may
   * finish. A key that is paused before it has any message is paused only as long as its shard's owner owns it.
   */
  async pause(shardingKey: ShardingKey, options?: OperatorOptions): Promise<KeyReport | undefined> {
    return this.ask(shardingKey, { call: 'pause' }, options);
  }

  /**
   * Feeds a parked key from the side queue until none of it is left, then from the shard. Attempts start at one.
   * @throws {KeyNotParkedError} when the key is not held
   */
  async resume(shardingKey: ShardingKey, options?: OperatorOptions): Promise<KeyReport | undefined> {
    return this.ask(shardingKey, { call: 'resume' }, options);
  }

  /**
   * Ends the key's data updater, with `terminate('operator')`, when its turn comes: the next message or signal starts a fresh one, by `init` or
   * with the stored state. Does nothing where there is none.
   */
  async deactivate(shardingKey: ShardingKey, options?: OperatorOptions): Promise<KeyReport | undefined> {
    return this.ask(shardingKey, { call: 'deactivate' }, options);
  }

  /**
   * Has a process claim no shards and hand over those that it owns, in good order: what runs may end, within `drainTimeout`. It goes on
   * publishing and sending signals. Resolves when the process has begun; `processes()` shows what it still owns. Where it is the only process
   * its shards have no owner then, and messages wait in the broker. It lasts until {@link resumeIntake}, or until the process ends: started
   * again it takes part.
   * @param process as `processes()` names it
   * @throws {UnknownProcessError} when no such process takes part
   * @throws {RemoteOperatorDisabledError} when it takes no actions from other processes
   * @throws {NoCoordinatorError} when no process was there to bring it the request
   * @throws {OperatorUnsupportedError} where the transport cannot
   */
  async pauseIntake(process: string, options: OperatorOptions = {}): Promise<void> {
    await this.calls.pauses.setIntake(process, true, this.timeout(options));
  }

  /** Has a process claim its share of the shards again. Rejects as {@link pauseIntake}. */
  async resumeIntake(process: string, options: OperatorOptions = {}): Promise<void> {
    await this.calls.pauses.setIntake(process, false, this.timeout(options));
  }

  /**
   * Pauses messages of a type, in all processes: a key whose first message is of that type is parked at it (`type_paused`), with all that
   * follows, in order. What is being handled may end; later attempts are not made. It is kept with the broker, so processes that start later
   * know. Resolves when all that take part do. Asked twice it is the same.
   *
   * What is parked counts for `sideQueueLimit`: where the side queue is full its shard waits. A direct message of that type is refused
   * with `TypePausedError`.
   * @param type as the option `typeFrom` finds it
   * @throws {OperatorTimeoutError} when not all processes have said in time that they know; with `started`, they will
   * @throws {RemoteOperatorDisabledError} when one of them takes no actions from other processes
   * @throws {NoCoordinatorError} when no process was there to decide it
   * @throws {OperatorUnsupportedError} where the transport cannot
   * @throws {InvalidMessageError} when it is no text of 1 to 255 bytes
   */
  async pauseType(type: string, options: OperatorOptions = {}): Promise<void> {
    checkMessageType(type);
    await this.calls.pauses.setTypePaused(type, true, this.timeout(options));
  }

  /**
   * Lets messages of a type be handled again: the owners resume the keys that are parked at one. Keys that are parked for other reasons stay
   * so. Rejects as {@link pauseType}.
   */
  async resumeType(type: string, options: OperatorOptions = {}): Promise<void> {
    checkMessageType(type);
    await this.calls.pauses.setTypePaused(type, false, this.timeout(options));
  }

  /**
   * The types that are paused.
   * @throws {NoCoordinatorError} when no process was there to tell
   */
  async pausedTypes(options: OperatorOptions = {}): Promise<readonly string[]> {
    return this.calls.pauses.types(this.timeout(options));
  }

  /**
   * The state of a key as the store has it, whoever owns the key, with the version that an edit names; `undefined` where there is none. Of
   * what is not committed yet it knows nothing. One that cannot be read has its `problem` instead.
   * @throws {NoStoreError} where the instance has no store
   * @throws {StoreUnavailableError} when it cannot be reached
   */
  async state<State = unknown>(shardingKey: ShardingKey): Promise<StateReport<State> | undefined> {
    return (await this.states.report(this.encode(shardingKey))) as StateReport<State> | undefined;
  }

  /**
   * Replaces the stored state of a key, in its turn, in one commit with an entry of the audit trail: both are there afterwards, or none.
   * The data updater ends, with `terminate('operator')`, and what comes next of the key starts with the new state. Asked twice it does
   * nothing the second time, since the version is another by then.
   * @param state encoded as the handler's states are; in a process without the handler as its option `state` says, in the form in which
   * the state is stored
   * @example
   * const { state, version } = await operator.state('account-7');
   * await operator.editState('account-7', { ...state, cents: 0 }, { version, by: 'ann', reason: 'ticket 12' });
   * @throws {StateVersionError} when the stored state is another; its `found` is the version that is there
   * @throws {StateEncodeError} when the state cannot be encoded, is larger than `stateLimit`, or no data updater could start with it
   * @throws {CommitRefusedError} when the store does not take it
   * @throws {SignalTooLargeError} when it is larger than the transport carries to the owner
   * @throws {NoStoreError} where the instance has no store
   * @throws {StoreUnavailableError} when it cannot be reached from here
   * @throws {InvalidMessageError} when `version` is none, or `by` or `reason` no text
   */
  async editState(
    shardingKey: ShardingKey,
    state: unknown,
    { timeout, ...change }: OperatorOptions & StateChangeOptions,
  ): Promise<void> {
    await this.states.edit(this.encode(shardingKey), state, checkStateChange(change), this.timeout({ timeout }));
  }

  /**
   * Forgets the stored state of a key, in its turn, in one commit with an entry of the audit trail. The data updater ends, with
   * `terminate('operator')`, and `init` makes the next state. What the inbox knows of the key stays.
   * @param options `version` of the state that is there
   * @throws {StateVersionError} when the stored state is another, or there is none; its `found` is the version that is there
   * @throws {NoStoreError} where the instance has no store
   * @throws {InvalidMessageError} when `version` is none, or `by` or `reason` no text
   */
  async forgetState(
    shardingKey: ShardingKey,
    { timeout, ...change }: OperatorOptions & StateChangeOptions & { version: number },
  ): Promise<void> {
    await this.states.forget(this.encode(shardingKey), checkStateChange(change, 1), this.timeout({ timeout }));
  }

  /**
   * Puts back the state that the key had before an entry of the audit trail, by an edit of its own, whatever `redact` lets be seen.
   * @param id of an entry of {@link audit}
   * @param options `version` of the state that is there now
   * @throws {AuditEntryNotFoundError} when the key has none of that id
   * @throws what {@link editState} does
   */
  async restoreState(
    shardingKey: ShardingKey,
    id: string,
    { timeout, ...change }: OperatorOptions & StateChangeOptions,
  ): Promise<void> {
    await this.states.restore(this.encode(shardingKey), id, checkStateChange(change), this.timeout({ timeout }));
  }

  /**
   * What operators did to states, the newest first, with the states before.
   * @throws {NoStoreError} where the instance has no store
   * @throws {StoreUnavailableError} when it cannot be reached
   * @throws {InvalidMessageError} when `since` is no date
   */
  async audit({ key, since, limit = 1_000 }: AuditFilter = {}): Promise<AuditList> {
    checkSince(since);
    return this.states.audit({ key: key === undefined ? undefined : this.encode(key), since, limit });
  }

  /**
   * The first dead letters that a filter lets through, the oldest first. One operator reads them at a time, in all processes, and so it is for
   * the other calls on them.
   * @param options `limit` of the list, default 1,000
   * @throws {DeadLettersBusyError} while another one does
   * @throws {DeadLettersUnreadableError} where the transport cannot read them
   */
  async deadLetters({ limit = 1_000, ...filter }: DeadLetterFilter & { limit?: number } = {}): Promise<DeadLetterList> {
    return this.letters.list(this.filter(filter), limit);
  }

  /**
   * One dead letter, with its payload, headers and stack.
   * @param id of a list
   * @throws {DeadLetterNotFoundError} when there is none of that id
   * @throws {DeadLettersBusyError} while another operator reads them
   */
  async deadLetter(id: string): Promise<DeadLetterDetails> {
    return this.letters.show(id);
  }

  /**
   * Publishes dead letters again, each to the end of its key's queue, in their order: with id, type and headers, and the header
   * `REPLAY_HEADER` that says which replay it is. Each leaves the dead letters once it is safely taken, so that one may be in both when the
   * process is killed; with a store the second is recognised then. Those that come to the dead letters meanwhile are not replayed.
   * @param filter `{}` for all of them
   * @param options `rate`: how many a second, default 500, `Infinity` for no limit; `progress` is called now and then; `signal` ends it
   * @throws {InvalidMessageError} when the rate is no number above 0, or the filter has something that is `undefined`
   * @throws {ReplayStoppedError} when one was not taken; it says how many were
   * @throws {DeadLetterNotFoundError} when the filter names one that is not there
   * @throws {DeadLettersBusyError} while another operator reads them
   */
  async replay(filter: DeadLetterFilter, options: ReplayOptions = {}): Promise<DeadLetterProgress> {
    const { rate = 500, progress = () => undefined, signal } = options;
    checkRate(rate);
    checkFilter(filter);
    return this.letters.replay(this.filter(filter), rate, { progress, signal });
  }

  /**
   * Removes dead letters for good.
   * @param filter `{}` for all of them
   * @throws {InvalidMessageError} when the filter has something that is `undefined`
   * @throws {DeadLetterNotFoundError} when the filter names one that is not there
   * @throws {DeadLettersBusyError} while another operator reads them
   */
  async dropDeadLetters(
    filter: DeadLetterFilter,
    { progress = () => undefined, signal }: Pick<ReplayOptions, 'progress' | 'signal'> = {},
  ): Promise<DeadLetterProgress> {
    checkFilter(filter);
    return this.letters.drop(this.filter(filter), { progress, signal });
  }

  private get states() {
    return this.calls.states;
  }

  private get letters() {
    return this.calls.deadLetters;
  }

  private filter({ key, ...filter }: DeadLetterFilter): LetterFilter {
    return key === undefined ? filter : { ...filter, key: this.encode(key) };
  }

  private async ask(
    shardingKey: ShardingKey,
    request: OperatorRequest,
    options: OperatorOptions = {},
  ): Promise<KeyReport | undefined> {
    return this.calls.key(this.encode(shardingKey), request, this.timeout(options));
  }

  private get calls() {
    return this.runtime.engine.operator;
  }

  private encode(shardingKey: ShardingKey): Uint8Array {
    return this.runtime.engine.keys.encode(shardingKey);
  }

  private timeout({ timeout = this.runtime.engine.signalTimeout }: OperatorOptions): number {
    checkTimeout(timeout);
    return timeout;
  }
}

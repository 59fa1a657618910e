import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../clock/clock.interface.js';
import type { MessageProperties } from '../interfaces/message-properties.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';

/**
 * Where a row of the outbox stands: rows of one shard leave in the order of these, compared from the left.
 * @publicApi
 */
export interface OutboxPosition {
  /** The shard of the key whose callback published it; -1 for what services publish over a transport that keeps nothing. */
  readonly shard: number;
  readonly epoch: number;
  /** Number of the commit that wrote it. */
  readonly commit: number;
  /** Its place in that commit, from 0. */
  readonly index: number;
}

/**
 * A message that waits to be published, as it was committed.
 * @publicApi
 */
export interface OutboxMessage {
  /** `message` goes to the shard of its key, `deadLetter` to the dead letters of the instance. */
  readonly kind: 'message' | 'deadLetter';
  /** The key whose callback published it, canonical; `undefined` where no key did. */
  readonly source: Uint8Array | undefined;
  /** The sharding key that it goes to, canonical; of a dead letter the one that it had. */
  readonly key: Uint8Array;
  readonly messageId: string;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
  readonly headers: MessageHeaders;
  readonly body: Uint8Array;
  /** Left out or `undefined` where it has none. */
  readonly properties?: MessageProperties | undefined;
}

/**
 * A row of the outbox.
 * @publicApi
 */
export interface OutboxRow {
  readonly position: OutboxPosition;
  readonly message: OutboxMessage;
}

/**
 * A message that a service published in a transaction of its own, which has committed.
 * @publicApi
 */
export interface EnqueuedMessage {
  /** The store's name for it. */
  readonly id: string;
  /** The shard of its key. */
  readonly shard: number;
  readonly message: OutboxMessage;
}

/**
 * What became of a message: `dropped` by an operator; `discarded` and `exhausted` are in the dead letters.
 * @publicApi
 */
export type InboxOutcome = 'handled' | 'discarded' | 'exhausted' | 'dropped';

/**
 * Tells messages apart.
 * @publicApi
 */
export interface MessageIdentity {
  /** The sharding key, canonical. */
  readonly key: Uint8Array;
  readonly messageId: string;
}

/**
 * What is remembered of a message that was finished.
 * @publicApi
 */
export interface InboxEntry extends MessageIdentity {
  /** A digest of the payload's bytes, 16 bytes. */
  readonly payloadHash: Uint8Array;
  readonly outcome: InboxOutcome;
  /** Which replay of its dead letter it was, from 1; 0 for the message itself. */
  readonly replay: number;
}

/**
 * A key's state, as it is kept.
 * @publicApi
 */
export interface StoredState {
  readonly bytes: Uint8Array;
  /** The handler's version of the state's form. */
  readonly version: number;
}

/**
 * A key's state, as it is found.
 * @publicApi
 */
export interface LoadedState extends StoredState {
  /**
   * From 1. Another for each commit that writes the key's state, whatever it writes, and larger than each before: also after the key was
   * forgotten, or its state outlived its `ttl`.
   */
  readonly revision: number;
  /** By the store's clock; `undefined` where it was written before the store kept it. */
  readonly changedAt: Date | undefined;
}

/**
 * A key's new state.
 * @publicApi
 */
export interface StateChange {
  /** Canonical. */
  readonly key: Uint8Array;
  /** `undefined` forgets the key. */
  readonly state: StoredState | undefined;
  /** Milliseconds without a further change after which the state is forgotten; `undefined` keeps it. */
  readonly ttl: number | undefined;
}

/**
 * What an operator does to the state of a key.
 * @publicApi
 */
export type StateAction = 'edited' | 'forgotten';

/**
 * A change of a key's state by an operator, to be kept for good. The {@link ShardCommit} that has it has the change as well.
 * @publicApi
 */
export interface StateAudit {
  /** Canonical. */
  readonly key: Uint8Array;
  readonly action: StateAction;
  /** Who did it, in words. */
  readonly by: string;
  /** Why, in words. */
  readonly reason: string;
  /** The process that commits it. */
  readonly process: string;
  /** The state before; `undefined` where there was none. */
  readonly previous: Pick<LoadedState, 'bytes' | 'version' | 'revision'> | undefined;
}

/**
 * A change of a key's state by an operator, as it was kept.
 * @publicApi
 */
export interface AuditedState extends StateAudit {
  /** The store's name for it. */
  readonly id: string;
  /** When it was committed, by the store's clock. */
  readonly at: Date;
  /** Of the state that it wrote; `undefined` of a key that was forgotten. */
  readonly revision: number | undefined;
}

/**
 * Which changes by operators are asked for: those to which all of it applies.
 * @publicApi
 */
export interface AuditQuestion {
  /** Canonical; `undefined` for all keys. */
  readonly key: Uint8Array | undefined;
  /** Those that were committed at this time or later; `undefined` for all times. */
  readonly since: Date | undefined;
  readonly limit: number;
}

/**
 * What one shard commits: all of it or nothing.
 * @publicApi
 */
export interface ShardCommit {
  readonly shard: number;
  /** As {@link StoreConnection.openShard} gave it. */
  readonly epoch: number;
  /** One more than that of the last commit of the epoch, or of the last one that was made void; the first has 1. */
  readonly number: number;
  /**
   * The token that the shard has before: that of the last commit, of the void that took its place, or of the opening. A store that
   * was restored from a backup may give an epoch and a number twice, but no token.
   */
  readonly previous: Uint8Array;
  /** 16 random bytes: the token that the shard has afterwards. */
  readonly token: Uint8Array;
  /** At most one of each key. */
  readonly states: readonly StateChange[];
  /** Changes among {@link states} that an operator caused; at most one of each key. */
  readonly audit: readonly StateAudit[];
  readonly handled: readonly InboxEntry[];
  /** Their positions are (shard, epoch, number, index in this list). */
  readonly outbox: readonly OutboxMessage[];
  /** Rows of the outbox, of this or another shard, that are done with. Those that are gone already do not matter. */
  readonly sent: readonly OutboxPosition[];
  /** Enqueued messages that are among {@link outbox} now, and enqueued no longer. Those that are gone already do not matter. */
  readonly taken: readonly string[];
}

/**
 * An epoch of a shard, as it begins.
 * @publicApi
 */
export interface ShardOpening {
  /** From 1. */
  readonly epoch: number;
  /** 16 random bytes, which the first commit names as {@link ShardCommit.previous}. */
  readonly token: Uint8Array;
}

/**
 * A commit whose answer was lost.
 * @publicApi
 */
export interface LostCommit extends Pick<ShardCommit, 'shard' | 'epoch' | 'number' | 'previous' | 'token'> {
  /** 16 random bytes: the token that the shard gets if the commit is made void. The same each time that it is asked about. */
  readonly voidToken: Uint8Array;
}

/**
 * A shard that this process owns.
 * @publicApi
 */
export interface OpenShard {
  readonly shard: number;
  readonly epoch: number;
}

/**
 * `stale`: the shard's epoch, commit number or token is another, and nothing of the commit was written.
 * @publicApi
 */
export type CommitVerdict = 'committed' | 'stale';

/**
 * What became of a commit whose answer was lost; `void`: it has not happened and never will.
 * @publicApi
 */
export type CommitResolution = CommitVerdict | 'void';

/**
 * A transaction in which a callback's own writes and its commit go together.
 * @publicApi
 */
export interface StoreTransaction {
  /** What the handler gets from `context.transaction()`, such as an object with `query(sql, params)`. */
  readonly client: unknown;
  /**
   * Resolves when its session is free, also where the store ended it by itself, because nothing was asked in it for long, say. Needed where
   * {@link StoreConnection.singleSession} is set: others wait for it.
   */
  readonly released?: Promise<void> | undefined;
  /**
   * Writes the commit, and commits, with the fence and the COMMIT in one round trip. Called at most once; afterwards the
   * transaction is over, and its client refuses.
   * @throws {StoreUnavailableError} when the outcome is unknown; the connection is destroyed by then
   * @throws {CommitRefusedError} when the database refused it, or the handler's writes had failed: nothing was written
   */
  commit(commit: ShardCommit): Promise<CommitVerdict>;
  /** Ends it without effect and destroys its connection. Resolves when the connection is no longer used. Never rejects. */
  abandon(): Promise<void>;
}

/**
 * How a store stands at this moment.
 * @publicApi
 */
export interface StoreStatus {
  /** Whether the last question was answered. */
  readonly connected: boolean;
  /** Why not, in words. */
  readonly problem?: string;
}

/**
 * A connected store. What it is asked it answers or rejects: with {@link StoreUnavailableError} where it cannot be reached or does
 * not answer, so that the outcome is unknown; with {@link StoreBusyError} where it certainly wrote nothing and the same may
 * succeed the next time (deadlock, serialization); with {@link CommitRefusedError} where it certainly wrote nothing and never will.
 * Waiting and trying again is the core's. Methods may be called side by side.
 * @publicApi
 */
export interface StoreConnection {
  /**
   * Whether everything is asked in one session, so that an open transaction of a handler's holds up all else. The core then commits nothing
   * while one is open, and refuses what the handler could only wait for in vain. Left out, it is not so.
   */
  readonly singleSession?: boolean;
  status(): StoreStatus;
  /** Raises the shard's epoch durably, sets its commit number to 0, and gives it a new token. */
  openShard(shard: number): Promise<ShardOpening>;
  /** The states of keys, in their order; `undefined` where there is none, or it outlived its `ttl`. */
  load(keys: readonly Uint8Array[]): Promise<readonly (LoadedState | undefined)[]>;
  /** Changes of states by operators, the newest first. They are kept until somebody deletes them by the means of the store. */
  audit(question: AuditQuestion): Promise<readonly AuditedState[]>;
  /** What the inbox knows of messages, in their order. */
  lookUp(messages: readonly MessageIdentity[]): Promise<readonly (InboxEntry | undefined)[]>;
  /**
   * One transaction for all commits, which are of different shards. Those that are stale write nothing; a rejection means that none wrote
   * anything, or, by `StoreUnavailableError`, that it is unknown. An entry of the inbox that exists already refuses all of it,
   * unless the new one has a higher replay number and the old one does not say `handled`.
   * @returns verdicts in the order of the commits
   */
  commit(commits: readonly ShardCommit[]): Promise<readonly CommitVerdict[]>;
  /**
   * What became of a commit. Where the shard stands as it did before the commit, (epoch, number - 1, previous), the commit is made
   * void: the shard goes to (epoch, number, voidToken). Then: with the commit's token it was committed, with the void's token it is
   * void, anything else is stale. May be asked again.
   */
  resolve(commit: LostCommit): Promise<CommitResolution>;
  /**
   * Rows of a shard's outbox, in order.
   * @param after the last position that was read; `undefined` from the first on
   */
  outbox(shard: number, after: OutboxPosition | undefined, limit: number): Promise<readonly OutboxRow[]>;
  /**
   * Called once a minute with the shards that this process has open. The store notes it, and may forget entries of the inbox that are
   * older than the horizon and than the oldest row of the outbox, but only while each shard that was ever opened has an owner that has been
   * heard of within the last minutes, and has had it for {@link StoreContext.settleTime}: what a process that was killed had
   * committed and not acked comes again, however long that was ago.
   */
  maintain(open: readonly OpenShard[]): Promise<void>;
  /** Begins a transaction for a callback of the shard; left out by stores that have none for users. */
  begin?(): Promise<StoreTransaction>;
  /**
   * Enqueues messages in a transaction of the caller's: they are there when it has committed, and never were otherwise. Left out by
   * stores that have no transactions for users.
   * @param transaction what the caller's database client is, such as an object with `query(sql, params)`
   * @throws {CommitRefusedError} when it is none
   */
  enqueue?(transaction: unknown, shard: number, messages: readonly OutboxMessage[]): Promise<void>;
  /**
   * Enqueued messages of these shards, in the order in which they are to leave. One is left out as long as a transaction is open that
   * began before it was committed and might put another in front of it.
   */
  enqueued?(shards: readonly number[], limit: number): Promise<readonly EnqueuedMessage[]>;
  /** Gives up what is under way, and disconnects. */
  close(): Promise<void>;
}

/**
 * What the core tells a store.
 * @publicApi
 */
export interface StoreContext {
  /** Name of the module instance. States, inbox and outbox of instances are apart. */
  readonly instance: string;
  readonly logger: LoggerService;
  /** A key for the log and for errors, as the app wants its keys to appear there. */
  readonly keyText: (key: Uint8Array) => string;
  /** For waiting. What is kept by the day goes by the store's own clock. */
  readonly clock: Clock;
  /** What the instance's shards are. A store that knows the instance with others refuses with {@link StoreMismatchError}. */
  readonly shards: { readonly transport: string; readonly totalCount: number; readonly hash: string };
  /**
   * Whether the instance is for one process alone, since its transport keeps messages in the process. A second one is refused
   * with {@link StoreInUseError}; the claim ends with the connection, or with the process.
   */
  readonly exclusive: boolean;
  /** How long an entry of the inbox stays, at least. Milliseconds. */
  readonly inboxHorizon: number;
  /** How long after a shard's opening the broker may still bring what its former owner had not acked. Milliseconds. */
  readonly settleTime: number;
}

/**
 * The plugin that keeps states. `memoryStore()` is for tests; prove a new one with the conformance suite of
 * `@mississippi/testing/store`.
 * @publicApi
 */
export interface Store {
  readonly name: string;
  /**
   * Connects, makes or upgrades what it keeps things in, or rejects with an error that says what to do.
   * @throws {StoreUnavailableError} when it cannot be reached: the core may try again
   */
  connect(context: StoreContext): Promise<StoreConnection>;
}

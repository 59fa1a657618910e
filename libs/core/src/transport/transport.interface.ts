import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../clock/clock.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../interfaces/message-properties.interface.js';
import type { ProcessInfo, TransportStatus } from '../interfaces/status.interface.js';

/**
 * A message as it leaves: everything but the queue it goes to is decided.
 * @publicApi
 */
export interface OutgoingMessage {
  /** Index of the shard, from 0: `phash2(key, totalCount)`. */
  readonly shard: number;
  /** The sharding key in the external term format, canonical. */
  readonly key: Uint8Array;
  readonly body: Uint8Array;
  readonly headers: MessageHeaders;
  readonly messageId: string;
  /** Unix time in seconds. */
  readonly timestamp: number;
  /** What else the publisher said of it; its dead letters have it too. */
  readonly properties?: MessageProperties | undefined;
}

/**
 * A message as it arrives. A transport makes the object, may extend it with what it needs to settle it, and gets the
 * same object back.
 * @publicApi
 */
export interface Delivery {
  /** The sharding key in the external term format, as it was on the wire; `undefined` where there was none. */
  readonly key: Uint8Array | undefined;
  readonly body: Uint8Array;
  readonly headers: MessageHeaders;
  readonly messageId: string | undefined;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
  /** Whether it was delivered before, to this process or to another. */
  readonly redelivered: boolean;
  /** What else its publisher said of it; left out where that was nothing. */
  readonly properties?: MessageProperties | undefined;
}

/**
 * Why a key's messages lie in the side queue: `held` until an operator resumes it, `pressure` resumes by itself.
 * @publicApi
 */
export type ParkedMode = 'held' | 'pressure';

/**
 * One message in a shard's side queue, as the new owner finds it.
 * @publicApi
 */
export interface ParkedEntry {
  /** In the external term format, in any spelling; `undefined` where there is no key that can be read. */
  readonly key: Uint8Array | undefined;
  readonly mode: ParkedMode;
  /** What was noted when the message was moved. */
  readonly notes: MessageHeaders;
  /** The message's id, by which an operator names it; left out where it has none. */
  readonly messageId?: string | undefined;
  /** Its property `type`; left out where it has none. */
  readonly type?: string | undefined;
}

/**
 * Reads one key's messages out of the shard's side queue, in order.
 * @publicApi
 */
export interface ParkedReader {
  /**
   * The key's first message that is not settled yet; the same one again until it is settled. It may be settled,
   * dead-lettered, or left. Waits while the key has none. Rejects when the reader is closed or the epoch ends. Not called
   * again before it has settled.
   */
  next(): Promise<Delivery>;
  /** Leaves what was read and not settled where it was. */
  close(): void;
}

/**
 * One epoch of one shard: what the owner may do with the shard's messages. Every method belongs to the channel that
 * delivered; once the epoch has ended, `settle` and `giveUp` do nothing, `close` resolves, and the others reject: `SessionEndedError` of
 * `@mississippi/core` says so. A move that waits then must not take effect later, since the next owner may have the message; the copy of a
 * dead letter may, but settles nothing.
 * @publicApi
 */
export interface ShardSession {
  readonly shard: number;
  /** What lay in the side queue, in the order of the moves, read to its end before the session was opened. */
  readonly parked: readonly ParkedEntry[];
  /**
   * Finishes a delivery for good. Called once for each, in any order, some time after it was delivered: a commit may lie
   * in between. May be sent later and coalesced, within 10 ms.
   */
  settle(delivery: Delivery): void;
  /**
   * Publishes a copy with `notes` among its headers, in place of those of the same names, to the dead letters, waits for the
   * confirm, then settles. Waits while the broker takes nothing.
   * Rejects when the copy was not confirmed: the delivery is then still unsettled and the caller tries again.
   */
  deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void>;
  /**
   * Appends the delivery to the side queue, waits for the confirm, then settles. Calls take effect in call order.
   * Waits while the broker takes nothing. A move that fails ends the session, and `lost` follows.
   */
  park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void>;
  /**
   * @param key canonical; messages are found whatever spelling of it they carry. `undefined` reads those without a key that
   * can be read. Once the epoch has ended it gives a reader whose `next` rejects.
   */
  readParked(key: Uint8Array | undefined): ParkedReader;
  /**
   * Whether the ownership of the shard is certain at this moment. A question without consequences, asked before each
   * attempt starts; left out, it always is. After a `false` no attempt starts until {@link verify} has succeeded.
   */
  isCertain?(): boolean;
  /**
   * Makes certain that the shard is still owned, by a round trip to the broker. Goes with {@link isCertain}. Not called
   * again before it has settled. A rejection ends the epoch, by {@link giveUp} if it has not ended already.
   */
  verify?(): Promise<void>;
  /**
   * Gives the shard back: settlements that wait are sent, what is not settled returns to its place, in the original order.
   * Resolves when it is free; at once, where the epoch has ended already. `lost` does not follow. The shard can be claimed
   * again, by this connection too unless it claims no more.
   */
  close(): Promise<void>;
  /**
   * Ends the epoch at once, because it cannot go on: nothing of it is settled any more, what is unsettled returns to its
   * place, and the shard can be claimed again, by this process too. `lost` does not follow.
   * @param cause for logs
   */
  giveUp(cause: Error): void;
}

/**
 * A callback that waits for a signal, as it travels with the signal: who would wait for itself is told so at once.
 * @publicApi
 */
export interface WaitingCallback {
  /** Tells callbacks of all processes apart. */
  readonly id: string;
  /** Its key, readable, for errors. */
  readonly key: string;
}

/**
 * What the core does with the messages of one epoch of one shard.
 * @publicApi
 */
export interface ShardReceiver {
  /** The epoch's number, given by the core: larger than that of every earlier one of the shard in this process. */
  readonly epoch: number;
  /** Takes the next message. Order is the order of calls. */
  deliver(delivery: Delivery): void;
  /** The epoch ended without our doing: nothing of it can be settled any more. */
  lost(cause: Error): void;
  /**
   * Answers a signal that came from another process. Signals and answers are bytes that only the core reads: what the
   * handler throws and what it is refused with is an answer too. Rejects only when the shard leaves before the signal has
   * started, with `ShardNotOwnedError` or `ShuttingDownError`: the request then belongs to the next owner.
   * @param key in the external term format
   * @param signal as it was given to `sendSignal`
   * @param timeout milliseconds that are left
   * @param started called when the handler is about to see it: from then on nobody else may
   * @param waiting the callbacks that wait for it, as they were sent
   */
  signal(
    key: Uint8Array,
    signal: Uint8Array,
    timeout: number,
    started: () => void,
    waiting?: readonly WaitingCallback[],
  ): Promise<Uint8Array>;
  /**
   * Prepares the hand-over: starts nothing more, lets running callbacks end and settle, terminates the data updaters.
   * When it resolves, nothing of the shard runs in this process, and the transport closes the session; `lost` does not
   * follow.
   */
  release(): Promise<void>;
}

/**
 * The core as a transport sees it.
 * @publicApi
 */
export interface ShardConsumer {
  /**
   * The transport has claimed a shard and is about to deliver its messages, once it has the receiver. Opening may take
   * its time, since the core may have to ask a store for the epoch. When the session ends meanwhile, the transport says
   * so by `lost` as soon as it has the receiver. When opening rejects, the transport closes the session and claims the
   * shard again later: this connection after 50 ms at the earliest, others when they like.
   */
  open(session: ShardSession): ShardReceiver | Promise<ShardReceiver>;
  /**
   * The types of messages of which nothing is to start, all that are paused: called before the first {@link open} where there are any,
   * and at each change. Callbacks that run end as usual.
   */
  pauseTypes?(types: readonly string[]): void;
  /** Whether operators of other processes may act on this one; left out, they may. */
  readonly takesActions?: boolean;
}

/**
 * Hands messages to the broker.
 * @publicApi
 */
export interface Publisher {
  /**
   * Resolves when the message is safely taken. Calls of one key take effect in call order. Waits while the broker takes
   * nothing, or has too much that it has not confirmed; no message is refused because too many wait.
   * @param timeout milliseconds, `Infinity` for none
   * @param fromCallback whether a callback of this instance publishes it; only told where {@link heedsCallbacks} says so
   * @throws {PublishTimeoutError} after `timeout`. Its `sent` says whether the outcome is unknown; where it is `false`, the
   * message must never be sent later
   * @throws {PublishError} when the broker refused it, or the transport was closed (reason `closed`), while it waited too
   */
  publish(message: OutgoingMessage, timeout: number, fromCallback?: boolean): Promise<void>;
  /**
   * Publishes a message to the dead letters, as it is; resolves when it is safely taken. Need not wait for room as `publish`
   * does. Left out by transports that cannot be used with a store.
   * @param timeout milliseconds, `Infinity` for none
   * @throws {PublishError} when the broker refused it, or the transport was closed
   */
  deadLetter?(letter: OutgoingMessage, timeout: number): Promise<void>;
  /**
   * Asked before each `publish`: `true` where it may have to wait for room that callbacks of this instance make, now or soon. A
   * callback that waited for it would wait for itself.
   */
  readonly heedsCallbacks?: boolean;
}

/**
 * Messages that are lost with the connection, because nobody else can ever handle them.
 * @publicApi
 */
export interface Backlog {
  /** Messages that were taken and are neither handled nor set aside; those that are parked and resume by themselves count. */
  readonly queued: number;
  /** Messages that wait for an operator in side queues. */
  readonly parked: number;
  /** Resolves as soon as nothing is queued. */
  emptied(): Promise<void>;
}

/**
 * Reads the dead letters that were there when it was opened, the oldest first.
 * @publicApi
 */
export interface DeadLetterReader {
  /** How many there were when it was opened, as far as that is known. */
  readonly total: number;
  /**
   * The next one that was not read yet; `undefined` when there is none. What comes after the reader was opened is not read: a replay would
   * meet what it has replayed. Not called again before it has settled.
   */
  next(): Promise<Delivery | undefined>;
  /** Removes one that was read, for good; certain when {@link close} has resolved. */
  remove(letter: Delivery): void;
  /** Whatever was not removed is where it was. So it is when the process ends without this. */
  close(): Promise<void>;
}

/**
 * What a transport calls the places that messages go to, in the words of the OpenTelemetry semantic conventions for messaging.
 * @publicApi
 */
export interface Destination {
  /** What carries the messages, such as `'rabbitmq'`: `messaging.system.name`. */
  readonly system: string;
  /** One name for all shards, such as `'mississippi_{shard}'`: `messaging.destination.template`. */
  readonly template: string;
  /** Where it is, if that is one place: `server.address` and `server.port`. */
  readonly server?: { readonly address: string; readonly port: number } | undefined;
  /** The name of one shard: `messaging.destination.name`. */
  name(shard: number): string;
}

/**
 * A connected transport.
 * @publicApi
 */
export interface TransportConnection {
  /** Number of shards. */
  readonly totalCount: number;
  /** Whether messages outlive this process: whether what was taken is kept when it is killed. */
  readonly durable: boolean;
  /**
   * What would be lost if the connection were closed now; `undefined` where messages outlive it. Before the core calls
   * {@link stopClaiming} it lets all of it be handled, within the drain time-out; from then on the transport takes no more.
   */
  readonly backlog?: Backlog | undefined;
  /**
   * Maximum number of unsettled deliveries per shard. One counts from `deliver` until it is settled, dead-lettered or parked;
   * what a {@link ParkedReader} read does not count.
   */
  readonly prefetch: number;
  /** Milliseconds after which the broker takes a delivery back; `undefined` where it never does. */
  readonly deliveryTimeout?: number;
  /** What traces and metrics call its shards. Left out, they are named after the instance. */
  readonly destination?: Destination;
  /** The largest signal and the largest answer that it carries. Bytes; left out, any that the core sends: up to 16 MB. */
  readonly maxSignalSize?: number;
  readonly publisher: Publisher;
  /**
   * Claims shards and delivers. Resolves when the first claim was tried for each, whether or not the core has opened it. Called
   * once at most; not in producer-only apps.
   */
  consume(consumer: ShardConsumer): Promise<void>;
  status(): TransportStatus;
  /**
   * Sends a signal to whichever process owns the shard and resolves with what {@link ShardReceiver.signal} answered there,
   * byte for byte. Left out by transports that live in one process. One that is too large fails alone: no other call and no
   * other answer with it.
   * @param key in the external term format
   * @param timeout milliseconds
   * @param waiting the callbacks that wait for it, the outermost first; the owner gets them as they are
   * @throws {SignalTooLargeError} when the signal or its answer is larger than {@link maxSignalSize}
   * @throws {SignalTimeoutError} when there is no answer in time
   * @throws {NoOwnerError} when no process owned the shard until the time-out
   * @throws {SignalOutcomeUnknownError} when the owner ended after it had accepted the signal
   */
  sendSignal?(
    shard: number,
    key: Uint8Array,
    signal: Uint8Array,
    timeout: number,
    waiting: readonly WaitingCallback[],
  ): Promise<Uint8Array>;
  /**
   * How many messages wait in each shard, by its index: those that were taken and not delivered, side queues left out; `undefined`
   * where that is not known. Left out by transports that cannot tell.
   */
  backlogs?(): Promise<readonly (number | undefined)[]>;
  /**
   * Reads the dead letters. There is one reader at a time, in all processes. Left out by transports that cannot read them.
   * @throws {DeadLettersBusyError} while there is another
   */
  readDeadLetters?(): Promise<DeadLetterReader>;
  /**
   * Who takes part and owns what. Left out by transports that live in one process.
   * @throws {NobodyAnswersError} when nobody can tell at present
   */
  processes?(): Promise<ProcessInfo[]>;
  /**
   * Has a process hand over what it owns, in good order, and claim nothing until it is let again; or lets it again. It goes on publishing and
   * sending signals. Resolves when the process does so, not when it owns nothing. Done twice it is the same. Left out by transports that
   * cannot; one that lives in one process is asked for that process alone.
   * @param process as {@link processes} names it
   * @param timeout milliseconds
   * @throws {UnknownProcessError} when no such process takes part
   * @throws {RemoteOperatorDisabledError} when it takes no actions from other processes
   * @throws {OperatorTimeoutError} when it did not answer in time
   * @throws {NoCoordinatorError} when nobody was there to bring it the request
   */
  setIntake?(process: string, paused: boolean, timeout: number): Promise<void>;
  /**
   * Pauses a type of messages in all processes, those that start later too, or resumes it. Each is told by {@link ShardConsumer.pauseTypes}.
   * Resolves when all that take part know. It must outlive any of them; where it is interrupted all know it, or none. Done twice it is the
   * same. Left out where there is no other process: the core keeps it then.
   * @param timeout milliseconds
   * @throws {RemoteOperatorDisabledError} when one of them takes no actions from other processes
   * @throws {OperatorTimeoutError} when some of them have not said in time that they know; its `started` says whether it is decided
   * @throws {NoCoordinatorError} when nobody was there to decide it
   */
  setTypePaused?(type: string, paused: boolean, timeout: number): Promise<void>;
  /**
   * The types that are paused. Goes with {@link setTypePaused}.
   * @param timeout milliseconds
   * @throws {NoCoordinatorError} when nobody was there to tell
   */
  pausedTypes?(timeout: number): Promise<readonly string[]>;
  /** Takes no shard any more, not even where {@link consume} is still under way; what is owned stays until its session is closed. */
  stopClaiming(): void;
  /** Closes everything, what is still being started too. Sessions that are still open are lost; publishes that wait are rejected. */
  close(): Promise<void>;
}

/**
 * What the core gives a transport to work with.
 * @publicApi
 */
export interface TransportContext {
  /** Name of the module instance, for logs. */
  readonly instance: string;
  /** Name of the class of its handler; left out where it has none, because it only publishes. */
  readonly handler?: string;
  readonly logger: LoggerService;
  /** A key for the log and for errors, as the app wants its keys to appear there. */
  readonly keyText: (key: Uint8Array) => string;
  /** The only clock that the transport may use. */
  readonly clock: Clock;
  /**
   * Whether the core makes spans of messages and signals. What an instrumentation of the transport's client would make of the same is
   * to be left out then: it would be there twice. Left out, the core makes none.
   */
  readonly traced?: boolean;
}

/**
 * The plugin that delivers and publishes. `memory()` is the embedded default. Prove a new one with the conformance
 * suite of `@mississippi/testing/transport`.
 * @publicApi
 */
export interface Transport {
  readonly name: string;
  /**
   * `false` where nobody else can ever reach what is published here, so that an instance that only publishes is refused.
   * Left out, others can.
   */
  readonly shared?: boolean;
  /** Connects, or rejects with an error that says what to do. */
  connect(context: TransportContext): Promise<TransportConnection>;
}

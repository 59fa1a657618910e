import type { LoggerService } from '@nestjs/common';

/** What a header of a message may hold. */
export type HeaderValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly HeaderValue[]
  | { readonly [name: string]: HeaderValue };

/** @publicApi */
export type MessageHeaders = Readonly<Record<string, HeaderValue>>;

/** A message as it leaves: everything but the queue it goes to is decided. */
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
}

/**
 * A message as it arrives. A transport makes the object, may extend it with what it needs to settle it, and gets the
 * same object back.
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
}

/** Why a key's messages lie in the side queue: `held` until an operator resumes it, `pressure` resumes by itself. */
export type ParkedMode = 'held' | 'pressure';

/** One message in a shard's side queue, as the new owner finds it. */
export interface ParkedEntry {
  /** In the external term format, in any spelling. */
  readonly key: Uint8Array;
  readonly mode: ParkedMode;
  /** What was noted when the message was moved. */
  readonly notes: MessageHeaders;
}

/** Reads one key's messages out of the shard's side queue, in order. */
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
 * delivered; once the epoch has ended, `settle` does nothing and the others reject.
 */
export interface ShardSession {
  readonly shard: number;
  /** Larger than in every earlier session of the shard that this process saw. */
  readonly epoch: number;
  /** What lay in the side queue, in the order of the moves, read to its end before the session was opened. */
  readonly parked: readonly ParkedEntry[];
  /** Finishes a delivery for good. May be sent later and coalesced, within 10 ms. */
  settle(delivery: Delivery): void;
  /**
   * Publishes a copy with `notes` among its headers to the dead letters, waits for the confirm, then settles.
   * Rejects when the copy was not confirmed: the delivery is then still unsettled and the caller tries again.
   */
  deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void>;
  /**
   * Appends the delivery to the side queue, waits for the confirm, then settles. Calls take effect in call order.
   * Waits while the broker takes nothing. A move that fails ends the session.
   */
  park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void>;
  /** @param key canonical; messages are found whatever spelling of it they carry */
  readParked(key: Uint8Array): ParkedReader;
  /**
   * Asked before each attempt starts: whether the ownership of the shard is certain at this moment. Left out, it always
   * is. After a `false` the transport calls {@link ShardReceiver.resume} once it is certain again.
   */
  isCertain?(): boolean;
  /**
   * Gives the shard back: settlements that wait are sent, what is not settled returns to its place, in the original order.
   * Resolves when it is free; at once, where the epoch has ended already.
   */
  close(): Promise<void>;
}

/** What the core does with the messages of one epoch of one shard. */
export interface ShardReceiver {
  /** Takes the next message. Order is the order of calls. */
  deliver(delivery: Delivery): void;
  /** The epoch ended without our doing: nothing of it can be settled any more. */
  lost(cause: Error): void;
  /** No attempt starts until {@link resume}. */
  suspend(): void;
  resume(): void;
  /**
   * Answers a signal that came from another process. Rejects with `ShardNotOwnedError` or `ShuttingDownError` when the
   * shard leaves first; if it had not started, the request belongs to the next owner.
   * @param key in the external term format
   * @param timeout milliseconds that are left
   * @param started called when the handler is about to see it: from then on nobody else may
   */
  signal(key: Uint8Array, signal: unknown, timeout: number, started: () => void): Promise<unknown>;
  /**
   * Prepares the hand-over: starts nothing more, lets running callbacks end and settle, terminates the data updaters.
   * When it resolves, nothing of the shard runs in this process, and the transport closes the session; `lost` does not
   * follow.
   */
  release(): Promise<void>;
}

/** The core as a transport sees it. */
export interface ShardConsumer {
  /** The transport owns a shard and is about to deliver its messages. */
  open(session: ShardSession): ShardReceiver;
}

/** Hands messages to the broker. */
export interface Publisher {
  /**
   * Resolves when the message is safely taken. Calls of one shard take effect in call order. Waits in a bounded buffer
   * while the broker takes nothing.
   * @param timeout milliseconds, `Infinity` for none
   * @throws {PublishTimeoutError} after `timeout`: the outcome is unknown
   * @throws {PublishError} when the broker refused it, or the transport was closed
   */
  publish(message: OutgoingMessage, timeout: number): Promise<void>;
}

export interface TransportStatus {
  /** Whether the broker can be reached. */
  readonly connected: boolean;
  /** Whether the broker takes no messages at present. */
  readonly blocked: boolean;
  /** Shards that this process owns. */
  readonly shards: number;
}

/**
 * One process that takes part.
 * @publicApi
 */
export interface ProcessInfo {
  /** Instance, host, process id and a number of its own. */
  readonly name: string;
  /** The shards that it owns, in order. */
  readonly shards: readonly number[];
  /** Whether it is the process that asks. */
  readonly self: boolean;
}

/** A connected transport. */
export interface TransportConnection {
  /** Number of shards. */
  readonly totalCount: number;
  /** Most unsettled deliveries of one shard. */
  readonly prefetch: number;
  /** Milliseconds after which the broker takes a delivery back; `undefined` where it never does. */
  readonly deliveryTimeout?: number;
  readonly publisher: Publisher;
  /** Claims shards and delivers. Resolves when the first claim was tried for each. Not called in producer-only apps. */
  consume(consumer: ShardConsumer): Promise<void>;
  status(): TransportStatus;
  /**
   * Sends a signal to whichever process owns the shard and resolves with its answer. Left out by transports that live in
   * one process.
   * @param key in the external term format
   * @param timeout milliseconds
   * @throws {SignalTimeoutError} when there is no answer in time
   * @throws {NoOwnerError} when in all that time nobody owned the shard
   * @throws {SignalOutcomeUnknownError} when the owner ended after it had accepted the signal
   * @throws {RemoteSignalError} with name, message and code of what the handler threw
   */
  sendSignal?(shard: number, key: Uint8Array, signal: unknown, timeout: number): Promise<unknown>;
  /** Who takes part and owns what. Left out by transports that live in one process. */
  processes?(): Promise<ProcessInfo[]>;
  /** Takes no shard any more; what is owned stays until its session is closed. */
  stopClaiming(): void;
  /** Closes everything. Sessions that are still open are lost. */
  close(): Promise<void>;
}

export interface TransportContext {
  /** Name of the module instance, for logs. */
  readonly instance: string;
  readonly logger: LoggerService;
}

/**
 * The plugin that delivers and publishes. `memory()` is the embedded default. Prove a new one with the conformance
 * suite of `@mississippi/testing`.
 * @publicApi
 */
export interface Transport {
  readonly name: string;
  /** Connects, or rejects with an error that says what to do. */
  connect(context: TransportContext): Promise<TransportConnection>;
}

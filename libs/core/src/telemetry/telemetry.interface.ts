import type { Clock } from '../clock/clock.interface.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../interfaces/message-properties.interface.js';
import type { EngineStatus } from '../interfaces/status.interface.js';
import type { Destination, OutgoingMessage } from '../transport/transport.interface.js';

/**
 * The plugin that makes traces and metrics, such as `openTelemetry()` of `@mississippi/opentelemetry`. It must not throw: what it
 * throws is logged, and what it was about goes on without it.
 * @publicApi
 */
export interface Telemetry {
  readonly name: string;
  /** Whether it makes spans of what goes through the transport, so that none are needed of the transport's client. */
  readonly traces: boolean;
  /** Called when an instance has connected, before any of its messages goes or comes. */
  attach(instance: ObservedInstance): InstanceTelemetry;
}

/**
 * An instance of the module as its telemetry sees it.
 * @publicApi
 */
export interface ObservedInstance {
  /** As in `forRoot`. */
  readonly name: string;
  /** Where its messages go. */
  readonly destination: Destination;
  readonly clock: Clock;
  /** A key as the app wants its keys to appear in the log. */
  keyText(key: Uint8Array): string;
  /** What it owns and does at this moment. It visits every live key. */
  status(): EngineStatus;
}

/**
 * What a plugin has of one instance.
 * @publicApi
 */
export interface InstanceTelemetry {
  /** Whether anything is recorded at present. Asked before each operation, so that one of which nobody hears costs nothing. */
  readonly active: boolean;
  /** Something begins, in the asynchronous context of whoever began it. `undefined`: nobody needs to hear of its end. */
  begin(operation: Operation): Trace | undefined;
  /**
   * Something has happened that an event tells of, too, or would if it belonged to a key.
   * @param reason why, of `discarded` and `deadLettered`; the mode of `parked`. Few different ones, but of `discarded`
   */
  happened(type: MississippiEvent['type'], reason?: string): void;
  /** A group of commits had its answer from the store, or had none. */
  committed(group: CommitGroup): void;
  /** The instance has closed. */
  detach(): void;
}

/**
 * What takes time and may lead to something else.
 * @publicApi
 */
export type Operation = PublishOperation | SignalOperation | CallbackOperation;

/**
 * A message leaves. `publish`: it is handed to the transport on behalf of a caller. `create`: it is taken with a commit or with a
 * transaction of the caller's, and leaves later. `relay`: it was taken so, and is handed to the transport now, on behalf of nobody.
 * @publicApi
 */
export interface PublishOperation {
  readonly kind: 'publish' | 'create' | 'relay';
  readonly message: OutgoingMessage;
  /** The callback that asked for it, where that is not the present context. */
  readonly parent?: Trace | undefined;
}

/**
 * A caller signals a key, wherever that lives.
 * @publicApi
 */
export interface SignalOperation {
  readonly kind: 'signal';
  readonly shard: number;
  /** Canonical. */
  readonly key: Uint8Array;
  /** Of the signal, where it has one. */
  readonly name: string | undefined;
}

/**
 * A callback of the handler runs, for a message, a signal or a caller.
 * @publicApi
 */
export interface CallbackOperation {
  readonly kind: 'callback';
  readonly callback: 'migrate' | 'init' | 'activate' | 'handleMessage' | 'handleSignal' | 'handleContinue';
  readonly shard: number;
  readonly epoch: number;
  /** Canonical. */
  readonly key: Uint8Array;
  /** Of the message, from 1 on; 0 where there is no message. */
  readonly attempt: number;
  readonly message: ObservedMessage | undefined;
  /** Of the signal that caused it, where that has one. */
  readonly signalName: string | undefined;
  /** Whether it runs in the context of a caller of this process, which waits for it. */
  readonly called: boolean;
  /** What came with the signal from another process. */
  readonly carried: TraceHeaders | undefined;
  /** The callback that it follows: of `handleContinue` its message's. */
  readonly parent: Trace | undefined;
}

/**
 * A message that is handled.
 * @publicApi
 */
export interface ObservedMessage {
  readonly messageId: string | undefined;
  readonly headers: MessageHeaders;
  /** Whether it was delivered before, to this process or to another. */
  readonly redelivered: boolean;
  readonly properties: MessageProperties | undefined;
}

/**
 * What travels with a message or a signal, so that whoever gets it knows where it comes from.
 * @publicApi
 */
export type TraceHeaders = Readonly<Record<string, string>>;

/**
 * An operation that is under way.
 * @publicApi
 */
export interface Trace {
  /** For messages and signals: what goes with them. Headers of the same names that the caller gave stay as they are. */
  readonly headers: TraceHeaders | undefined;
  /** Calls the work, once and at once, with the operation as the present one; returns and throws what the work does. */
  run<Result>(work: () => Result): Result;
  /** It has ended. Called once. */
  end(end: OperationEnd): void;
}

/**
 * How an operation ended.
 * @publicApi
 */
export interface OperationEnd {
  /** What it failed with; left out where it succeeded. */
  readonly error?: unknown;
  /** Of `handleMessage`, where it succeeded: what it answered. */
  readonly outcome?: 'ack' | 'discard' | 'stop';
}

/**
 * Commits that went to the store together.
 * @publicApi
 */
export interface CommitGroup {
  /** What was to be committed: callbacks, mostly. */
  readonly size: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Left out where the store answered. */
  readonly error?: unknown;
}

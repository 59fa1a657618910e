import type { MessageContext } from '../interfaces/callback-context.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { decodeShardingKey, keyBytes, type ShardingKey } from '../keys/sharding-key.js';
import type { CallbackScope } from './callback-scope.js';
import type { DeadlineItem } from './deadline-list.js';
import type { TrackedMessage } from './tracked-message.js';

const NO_HEADERS: MessageHeaders = Object.freeze({});

/** Where a callback runs. */
export interface CallbackPlace {
  readonly owner: object;
  readonly instance: string;
  readonly keyId: string;
  readonly shard: number;
  readonly epoch: number;
}

export type CallbackName = 'init' | 'handleMessage' | 'handleSignal' | 'handleContinue' | 'terminate';

/** How a callback ended. An abandoned one still runs, but nobody waits for it any more. */
export type CallbackEnd =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown; readonly abandoned: boolean };

/**
 * One run of one callback: its context, its place among the deadlines, and the single report of its end. What is called
 * and what follows are methods of the subclasses, not closures, since every message pays for its run.
 */
export abstract class CallbackRun<
  Place extends CallbackPlace = CallbackPlace,
  Message extends TrackedMessage | undefined = TrackedMessage | undefined,
>
  implements DeadlineItem, CallbackScope
{
  earlier: DeadlineItem | undefined;
  later: DeadlineItem | undefined;
  deadline: number | undefined;
  running = true;
  private controller: AbortController | undefined;
  private abortReason: Error | undefined;

  constructor(
    readonly name: CallbackName,
    readonly place: Place,
    readonly message: Message,
    readonly attempt: number,
  ) {}

  get keyId(): string {
    return this.place.keyId;
  }

  get owner(): object {
    return this.place.owner;
  }

  get abortSignal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  /** Tells the callback to end. The first reason counts. */
  abort(reason: Error): void {
    if (this.abortReason !== undefined || !this.running) return;
    this.abortReason = reason;
    this.controller?.abort(reason);
  }

  /** Calls the handler. */
  abstract invoke(): unknown;

  /** What follows the end. */
  protected abstract ended(end: CallbackEnd): void;

  /** Reports the end once; what comes later is ignored. */
  end(end: CallbackEnd): void {
    if (!this.running) return;
    this.running = false;
    this.ended(end);
  }

  context(): MessageContext {
    return new Context(this);
  }
}

/** A run of a callback that is rare enough for closures. */
export class PlainRun extends CallbackRun {
  constructor(
    name: CallbackName,
    place: CallbackPlace,
    message: TrackedMessage | undefined,
    attempt: number,
    private readonly call: (run: CallbackRun) => unknown,
    private readonly then: (end: CallbackEnd) => void,
  ) {
    super(name, place, message, attempt);
  }

  invoke(): unknown {
    return this.call(this);
  }

  protected ended(end: CallbackEnd): void {
    this.then(end);
  }
}

/** What the handler sees. Everything is read on demand, since most handlers read little of it. */
class Context implements MessageContext {
  readonly #run: CallbackRun;
  #key: ShardingKey | undefined;

  constructor(run: CallbackRun) {
    this.#run = run;
  }

  get instance(): string {
    return this.#run.place.instance;
  }
  get key(): ShardingKey {
    return (this.#key ??= decodeShardingKey(keyBytes(this.#run.place.keyId)));
  }
  get shard(): number {
    return this.#run.place.shard;
  }
  get epoch(): number {
    return this.#run.place.epoch;
  }
  get attempt(): number {
    return this.#run.attempt;
  }
  get redelivered(): boolean {
    return this.#run.message?.redelivered ?? false;
  }
  get abortSignal(): AbortSignal {
    return this.#run.abortSignal;
  }
  get messageId(): string | undefined {
    return this.#run.message?.messageId;
  }
  get timestamp(): number | undefined {
    return this.#run.message?.timestamp;
  }
  get headers(): MessageHeaders {
    return this.#run.message?.headers ?? NO_HEADERS;
  }
}

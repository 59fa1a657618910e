import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../../interfaces/message-properties.interface.js';
import type { CallbackOperation, Trace } from '../../telemetry/telemetry.interface.js';
import type { AwaitedKey, Caller, CallbackScope } from '../base/caller.js';
import type { Environment } from '../base/environment.js';
import type { DeadlineItem } from '../base/deadline-list.js';
import type { EngineKey } from '../base/engine-key.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import type { KeyCommits } from '../commits/key-commits.js';
import type { CallbackEnd } from './callback-end.js';
import { CallbackEffects } from './callback-effects.js';
import { endOf, operationOf } from './callback-operation.js';
import { inspectable } from './inspectable.js';
import { PendingCalls } from './waiting.js';

export type CallbackName =
  'decode' | 'migrate' | 'init' | 'activate' | 'handleMessage' | 'handleSignal' | 'handleContinue' | 'terminate';

/** What a callback's context says about its message. */
export interface MessageMetadata {
  readonly redelivered: boolean;
  readonly messageId: string | undefined;
  readonly timestamp: number | undefined;
  readonly headers: MessageHeaders;
  readonly properties: MessageProperties | undefined;
}

/** What a callback runs for. */
export interface CallbackCause {
  readonly message: MessageMetadata | undefined;
  readonly attempt: number;
  /** Who waits for it, if somebody does. */
  readonly caller: Caller | undefined;
  /** Of the signal that caused it, where that has one. */
  readonly signalName?: string | undefined;
  /** The callback that it follows, where that has a trace. */
  readonly parent?: Trace | undefined;
}

/** The key that a callback runs for. */
export interface RunningKey extends EngineKey {
  /** What its epoch has of the store, where there is one. */
  readonly durable: DurableEpoch | undefined;
  /** What waits for its commit, where there is a store. */
  readonly commits: KeyCommits | undefined;
  /** The running callback waits for another key: an attempt lends its slot meanwhile. */
  lendSlot(): void;
  /**
   * It may go on: at once, or when the promise resolves.
   * @param waits whether it may have to wait for a slot
   */
  regainSlot(waits: boolean): Promise<void> | undefined;
}

/** Nobody waits for it, and no message caused it. */
export const UNPROMPTED: CallbackCause = { message: undefined, attempt: 0, caller: undefined };

/**
 * One run of one callback: its deadline, its abort signal, and the single report of its end. What is
 * called and what follows are methods of the subclasses, not closures, since every message pays for its run.
 */
export abstract class CallbackRun<
  Key extends RunningKey = RunningKey,
  Message extends MessageMetadata | undefined = MessageMetadata | undefined,
>
  implements DeadlineItem, CallbackScope
{
  earlier: DeadlineItem | undefined;
  later: DeadlineItem | undefined;
  deadline: number | undefined;
  running = true;
  /** When the round ended in which it started, on the engine's clock; `undefined` before. */
  since: number | undefined = undefined;
  waits: PendingCalls | undefined = undefined;
  /** What it adds to its commit, once it adds something. */
  effects: CallbackEffects | undefined = undefined;
  /** Set while somebody records what it does, and afterwards. */
  trace: Trace | undefined = undefined;
  private controller: AbortController | undefined;
  private abortReason: Error | undefined;

  constructor(
    readonly name: CallbackName,
    readonly key: Key,
    readonly message: Message,
    readonly attempt: number,
    public caller: Caller | undefined,
  ) {}

  get keyId(): string {
    return this.key.id;
  }

  get environment(): Environment {
    return this.key.epoch.environment;
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

  waitBegins(key?: AwaitedKey): void {
    (this.waits ??= new PendingCalls()).begins(key);
  }

  lendSlot(): void {
    if (this.running) this.key.lendSlot();
  }

  waitEnded(key: AwaitedKey | undefined, inTime: boolean): Promise<void> | undefined {
    return this.waits!.ended(key) && this.running ? this.key.regainSlot(inTime) : undefined;
  }

  /** Whether it has the store's only session, so that whatever waits for the store waits for it. */
  get holdsStore(): boolean {
    const { effects, key, running } = this;
    return (
      running && effects?.transaction !== undefined && key.durable?.instance.link.connection.singleSession === true
    );
  }

  /** What it adds to its commit. */
  get adds(): CallbackEffects {
    return (this.effects ??= new CallbackEffects(this));
  }

  /** What telemetry hears of it, where it is to hear of it. */
  get operation(): CallbackOperation | undefined {
    return operationOf(this, { signalName: undefined, parent: undefined });
  }

  /** Calls the handler. */
  abstract invoke(): unknown;

  /** What follows the end. */
  protected abstract ended(end: CallbackEnd): void;

  /** Reports the end once; what comes later is ignored. */
  end(end: CallbackEnd): void {
    if (!this.running) return;
    this.running = false;
    this.effects?.close();
    // Whoever it still calls would keep its callers otherwise, and those theirs.
    this.caller = undefined;
    const seen = inspectable(end);
    if (this.trace !== undefined) this.environment.telemetry!.end(this.trace, endOf(this.name, seen));
    this.ended(seen);
  }
}

/** A run of a callback that is rare enough for closures. */
export class PlainRun extends CallbackRun {
  readonly signalName: string | undefined;
  readonly parent: Trace | undefined;

  constructor(
    name: CallbackName,
    key: RunningKey,
    { message, attempt, caller, signalName, parent }: CallbackCause,
    private readonly call: (run: CallbackRun) => unknown,
    private readonly then: (end: CallbackEnd) => void,
  ) {
    super(name, key, message, attempt, caller);
    this.signalName = signalName;
    this.parent = parent;
  }

  override get operation(): CallbackOperation | undefined {
    return operationOf(this, this);
  }

  invoke(): unknown {
    return this.call(this);
  }

  protected ended(end: CallbackEnd): void {
    this.then(end);
  }
}

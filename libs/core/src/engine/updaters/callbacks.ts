import type { Timer } from '../../clock/clock.interface.js';
import { HandlerTimeoutError, SignalNotHandledError } from '../../errors/index.js';
import type { CallbackContext } from '../../interfaces/callback-context.interface.js';
import type { DataUpdaterHandler } from '../../interfaces/data-updater-handler.interface.js';
import { decodeShardingKey, keyBytes, type ShardingKey } from '../../keys/sharding-key.js';
import { inTable, type CalledMethod, type HandlerMethods, type MethodTable } from '../../methods/handler-methods.js';
import type { ResolvedFailurePolicy } from '../../mississippi.options.js';
import { PayloadReader } from '../../payload/payload-reader.js';
import { SignalCodec } from '../../signals/signal-codec.js';
import { DeadlineList } from '../base/deadline-list.js';
import type { Environment } from '../base/environment.js';
import type { FailurePolicy } from '../base/failure-policy.js';
import { keyFields, keyTextOf } from '../base/key-text.js';
import type { AroundCallback } from '../../testing/bench-work.interface.js';
import type { CallbackEnd } from './callback-end.js';
import type { CallbackRun } from './callback-run.js';
import { HangingWatch } from './hanging-watch.js';
import { runInScope } from './callback-scope.js';
import { MessageRoutes } from './message-routes.js';

/** How long a callback may go on after its abort signal has fired. Milliseconds. */
export const GRACE = 1_000;

/** Awaiters kept for the next callbacks. */
const MOST_SPARE = 1_000;

/**
 * Awaits the promises of callbacks, one after the other. It is free again only when its promise has settled, so that an
 * abandoned callback keeps its own. Two closures for each promise would be garbage for each message.
 */
class Awaiter {
  private run: CallbackRun | undefined;
  private readonly fulfilled: (value: unknown) => void;
  private readonly rejected: (error: unknown) => void;

  constructor(settled: (awaiter: Awaiter, run: CallbackRun, end: CallbackEnd) => void) {
    const free = (end: CallbackEnd): void => {
      const run = this.run!;
      this.run = undefined;
      settled(this, run, end);
    };
    this.fulfilled = (value) => free({ ok: true, value });
    this.rejected = (error) => free({ ok: false, error, abandoned: false });
  }

  wait(run: CallbackRun, promise: Promise<unknown>): void {
    this.run = run;
    promise.then(this.fulfilled, this.rejected);
  }
}

/** The user's handler, and how its callbacks run: synchronous or not, within the time-out, and with exactly one end each. */
export class Callbacks {
  readonly reader: PayloadReader;
  /** Where methods of the handler are for types of messages. */
  readonly routes: MessageRoutes | undefined;
  /** Where methods of the handler are for names of signals. */
  private readonly signalMethods: MethodTable<CalledMethod> | undefined;
  readonly signals: SignalCodec;
  /** The handler's own, as any other method: one for all signals. */
  private readonly handleSignal: CalledMethod = (signal, state, context) =>
    this.handler.handleSignal!(signal, state, context as CallbackContext);
  private readonly deadlines: DeadlineList<CallbackRun>;
  private readonly hanging: HangingWatch;
  /** Promises that this round brought. Most callbacks have ended when it ends, and need no deadline. */
  private fresh: CallbackRun[] = [];
  private readonly spare: Awaiter[] = [];
  /** What was told to end has so long still. */
  private readonly graces = new Set<Timer>();

  constructor(
    readonly handler: DataUpdaterHandler<unknown, unknown, ShardingKey>,
    /** Class name of the handler, for errors. */
    readonly handlerName: string,
    private readonly environment: Environment,
    methods: HandlerMethods | undefined,
    policyOf: (options: ResolvedFailurePolicy) => FailurePolicy,
  ) {
    const { clock, round, options } = environment;
    this.reader = new PayloadReader(options.payload);
    this.routes = methods?.messages && new MessageRoutes(methods.messages, options.typeFrom, policyOf);
    this.signalMethods = methods?.signals;
    this.signals = new SignalCodec(options.signals);
    this.deadlines = new DeadlineList(clock, options.handlerTimeout, (run) => this.expire(run));
    this.hanging = new HangingWatch(environment, () => this.deadlines.items());
    round.atEnd(() => this.setDeadlines());
  }

  /** @throws {MissingPackageError} by a rejected promise */
  async load(): Promise<void> {
    await this.reader.load();
    await this.routes?.load();
  }

  /**
   * What answers signals of a name.
   * @throws {SignalNotHandledError}
   */
  answering(name: string | undefined): CalledMethod {
    const { handler, signalMethods } = this;
    const own = handler.handleSignal === undefined ? undefined : this.handleSignal;
    const method = signalMethods === undefined ? own : inTable(signalMethods, name);
    if (method !== undefined) return method;
    throw new SignalNotHandledError(this.handlerName, name, [...(signalMethods?.byName.keys() ?? [])]);
  }

  run(run: CallbackRun): void {
    let result: unknown;
    try {
      result = this.environment.around === undefined ? runInScope(run) : this.runAround(run, this.environment.around);
    } catch (error) {
      run.end({ ok: false, error, abandoned: false });
      return;
    }
    if (!(result instanceof Promise)) {
      run.end({ ok: true, value: result });
      return;
    }
    this.fresh.push(run);
    this.environment.round.begin();
    (this.spare.pop() ?? this.newAwaiter()).wait(run, result);
  }

  private runAround(run: CallbackRun, around: AroundCallback): unknown {
    const { name, key, message, attempt } = run;
    const callback = { name, key: decodeShardingKey(keyBytes(key.id)), messageId: message?.messageId, attempt };
    return around(callback, () => runInScope(run));
  }

  /** Tells a callback to end, and abandons it after a grace. */
  insist(run: CallbackRun, error: Error): void {
    run.abort(error);
    this.afterGrace(() => {
      if (!run.running) return;
      this.environment.log.error(
        `${run.name} of the key ${keyTextOf(run.key)} (shard ${run.key.epoch.shard}) is abandoned: ${error.message}`,
        {
          event: 'abandoned',
          ...keyFields(run.key),
          callback: run.name,
          messageId: run.message?.messageId,
          attempt: run.attempt,
        },
        error,
      );
      run.end({ ok: false, error, abandoned: true });
    });
  }

  /** Calls back when what was told to end has had its time for it. */
  afterGrace(callback: () => void): void {
    const timer = this.environment.clock.after(GRACE, () => {
      this.graces.delete(timer);
      callback();
    });
    this.graces.add(timer);
  }

  stop(): void {
    this.deadlines.stop();
    this.hanging.stop();
    for (const timer of this.graces) timer.cancel();
    this.graces.clear();
  }

  private setDeadlines(): void {
    const { fresh } = this;
    if (fresh.length === 0) return;
    this.fresh = [];
    const now = this.environment.clock.now();
    for (const run of fresh) {
      if (!run.running) continue;
      run.since = now;
      this.deadlines.add(run, now);
    }
    this.hanging.begin();
  }

  private newAwaiter(): Awaiter {
    return new Awaiter((awaiter, run, end) => {
      if (this.spare.length < MOST_SPARE) this.spare.push(awaiter);
      this.deadlines.remove(run);
      run.end(end);
    });
  }

  private expire(run: CallbackRun): void {
    this.insist(run, new HandlerTimeoutError(run.name, keyTextOf(run.key), this.environment.options.handlerTimeout));
  }
}

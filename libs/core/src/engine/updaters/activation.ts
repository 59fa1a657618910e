import { describe } from '../../errors/describe.js';
import { DataUpdaterStartError } from '../../errors/index.js';
import type { DataUpdaterHandler, TerminateReason } from '../../interfaces/data-updater-handler.interface.js';
import type { DataUpdaterRef } from '../../interfaces/live-key.interface.js';
import { decodeShardingKey, keyBytes, type ShardingKey } from '../../keys/sharding-key.js';
import type { StoredState } from '../../store/store.interface.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import type { DecodedState, StateForm } from '../commits/state-form.js';
import type { EngineEpoch } from '../base/engine-key.js';
import { keyFields, keyTextOf } from '../base/key-text.js';
import { RunContext } from './callback-context.js';
import type { CallbackEnd } from './callback-end.js';
import { PlainRun, type CallbackName, type CallbackRun, type CallbackCause, type RunningKey } from './callback-run.js';
import type { Callbacks } from './callbacks.js';
import { DataUpdater } from './data-updater.js';
import type { Population } from './population.js';

/** The key whose data updater it is. */
export interface ActivatedKey extends RunningKey {
  readonly epoch: EngineEpoch & {
    /** Set when what starts now has no more than the grace to end. */
    readonly overdue: Error | undefined;
  };
}

/** Hears how a start ended: it failed, or the shard was lost before. */
type StartEnd = (failure: Error | undefined) => void;

/** One key's data updater through its lives: it starts, runs callbacks one at a time, and ends. */
export class Activation {
  updater: DataUpdater | undefined = undefined;
  /** Set while the data updater is to end: nothing but `terminate` runs on it. */
  ending: { readonly reason: TerminateReason } | undefined = undefined;
  /** How often `init` failed in a row. */
  initFailures = 0;
  private current: CallbackRun | undefined = undefined;

  constructor(
    private readonly key: ActivatedKey,
    readonly callbacks: Callbacks,
    private readonly population: Population,
  ) {}

  get handler(): DataUpdaterHandler<unknown, unknown, ShardingKey> {
    return this.callbacks.handler;
  }

  /** What runs. */
  get callback(): CallbackRun | undefined {
    return this.current;
  }

  get live(): DataUpdater | undefined {
    return this.updater?.alive === true ? this.updater : undefined;
  }

  reference(updater: DataUpdater): DataUpdaterRef {
    const { id, epoch } = this.key;
    return updater.ref(() => decodeShardingKey(keyBytes(id)), epoch.shard, epoch.number);
  }

  /**
   * Starts the data updater where there is none: on the spot where the handler has no `init`.
   * @param cause what it starts for
   */
  start(cause: CallbackCause, then: StartEnd): void {
    if (this.updater !== undefined) then(undefined);
    else if (this.key.durable === undefined) this.initialise(cause, then);
    else this.load(this.key.durable, cause, then);
  }

  /** Starts it with the state that is stored, or a first one. */
  private load(durable: DurableEpoch, cause: CallbackCause, then: StartEnd): void {
    durable.load(this.key.id, (stored, ended) => {
      if (ended !== undefined) {
        then(ended);
        return;
      }
      if (stored === undefined) {
        this.initialise(cause, (failure) => (failure === undefined ? this.activate(cause, then) : then(failure)));
        return;
      }
      this.decode(durable.instance.form, stored, cause, then);
    });
  }

  /** Codecs and `migrate` are the user's: they have their time, as other callbacks. */
  private decode(form: StateForm, stored: StoredState, cause: CallbackCause, then: StartEnd): void {
    this.run(
      form.migrates(stored) ? 'migrate' : 'decode',
      cause,
      () => form.decode(keyTextOf(this.key), stored),
      (end) => {
        if (!end.ok) {
          then(this.startFailed(end.error));
          return;
        }
        const { state, saved } = end.value as DecodedState;
        this.started(state, saved);
        this.activate(cause, then);
      },
    );
  }

  /** `activate` at each start, where the handler has it. */
  private activate(cause: CallbackCause, then: StartEnd): void {
    const { handler } = this;
    if (handler.activate === undefined) {
      this.initFailures = 0;
      then(undefined);
      return;
    }
    const { state } = this.updater!;
    this.run(
      'activate',
      cause,
      (run) => handler.activate!(state, new RunContext(run)),
      (end) => {
        if (end.ok) {
          this.initFailures = 0;
          then(undefined);
          return;
        }
        this.drop(end.error);
        then(this.startFailed(end.error));
      },
    );
  }

  private initialise(cause: CallbackCause, then: StartEnd): void {
    const { handler } = this;
    if (handler.init === undefined) {
      this.started(undefined);
      then(undefined);
      return;
    }
    this.run(
      'init',
      cause,
      (run) => {
        const context = new RunContext(run);
        return handler.init!(context.key, context);
      },
      (end) => {
        if (end.ok) this.started(end.value);
        then(end.ok ? undefined : this.startFailed(end.error));
      },
    );
  }

  /** Runs one callback; `then` is called once with its end. */
  run(
    name: CallbackName,
    cause: CallbackCause,
    invoke: (run: CallbackRun) => unknown,
    then: (end: CallbackEnd) => void,
  ): void {
    this.launch(new PlainRun(name, this.key, cause, invoke, then));
  }

  launch(run: CallbackRun): void {
    this.current = run;
    const { overdue } = this.key.epoch;
    if (overdue !== undefined) this.insist(overdue);
    this.callbacks.run(run);
  }

  /** The turn has ended. A context that is kept would keep its message too. */
  forgetRun(): void {
    this.current = undefined;
  }

  /** Tells the running callback to end. */
  abort(error: Error): void {
    this.current?.abort(error);
  }

  /** The same, and abandons it after a grace. */
  insist(error: Error): void {
    if (this.current !== undefined) this.callbacks.insist(this.current, error);
  }

  /** What failed before counts no more. */
  forgetFailures(): void {
    this.initFailures = 0;
  }

  /** A callback failed: its data updater ends. One that was abandoned may still touch its state, so it is not terminated. */
  failed(error: unknown, abandoned: boolean): void {
    if (abandoned) this.drop(error);
    else this.end(error);
  }

  /** The state stands on what the store refused. */
  undone(error: Error): void {
    this.ending = undefined;
    if (this.updater !== undefined) this.end(error);
  }

  /** The data updater is to end, once it is terminated. */
  end(reason: TerminateReason): void {
    this.ending = { reason };
    if (this.updater !== undefined) this.retire(this.updater);
  }

  /** The data updater is gone. */
  drop(reason: TerminateReason): void {
    this.ending = undefined;
    if (this.updater === undefined) return;
    this.retire(this.updater);
    this.updater = undefined;
    this.population.ended();
    this.key.epoch.environment.events.sink?.key('deactivated', this.key, { reason });
  }

  private started(state: unknown, saved?: Uint8Array): void {
    const { clock, events } = this.key.epoch.environment;
    this.updater = new DataUpdater(state, clock.now());
    this.updater.saved = saved;
    // With a store `activate` is yet to come.
    if (this.key.durable === undefined) this.initFailures = 0;
    this.population.started();
    events.sink?.key('started', this.key);
  }

  private startFailed(error: unknown): DataUpdaterStartError {
    const failures = ++this.initFailures;
    this.tellStartFailed(error, failures);
    this.key.epoch.environment.events.sink?.key('startFailed', this.key, { error, failures });
    return new DataUpdaterStartError(keyTextOf(this.key), error);
  }

  /** At the first, second, fourth, eighth failure in a row, and so on. */
  private tellStartFailed(error: unknown, failures: number): void {
    if ((failures & (failures - 1)) !== 0) return;
    const often = failures === 1 ? '' : `, ${failures} times in a row`;
    this.key.epoch.environment.log.error(
      `init of the key ${keyTextOf(this.key)} (shard ${this.key.epoch.shard}) failed${often}; its messages wait: ${describe(error)}`,
      { event: 'startFailed', ...keyFields(this.key), failures },
      error,
    );
  }

  private retire(updater: DataUpdater): void {
    if (!updater.alive) return;
    updater.alive = false;
    this.population.ending();
  }
}

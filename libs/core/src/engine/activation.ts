import { DataUpdaterStartError } from '../errors/index.js';
import type { TerminateReason } from '../interfaces/data-updater-handler.interface.js';
import { decodeShardingKey, inspectKey, keyBytes } from '../keys/sharding-key.js';
import { PlainRun, type CallbackEnd, type CallbackName, type CallbackPlace, type CallbackRun } from './callback-run.js';
import { DataUpdater } from './data-updater.js';
import type { DataUpdaterRef } from '../interfaces/live-key.interface.js';
import type { MessageTracker } from './message-tracker.js';
import type { Shard } from './shard.js';
import type { TrackedMessage } from './tracked-message.js';

/** One key's data updater through its lives: it starts, runs callbacks one at a time, and ends. */
export class Activation {
  updater: DataUpdater | undefined;
  /** Set while the data updater is to end: nothing but `terminate` runs on it. */
  ending: { readonly reason: TerminateReason } | undefined;
  private current: CallbackRun | undefined;

  constructor(
    private readonly home: Shard,
    private readonly place: CallbackPlace,
    private readonly tracker: MessageTracker,
  ) {}

  get live(): DataUpdater | undefined {
    return this.updater?.alive === true ? this.updater : undefined;
  }

  reference(updater: DataUpdater): DataUpdaterRef {
    return updater.ref(() => decodeShardingKey(keyBytes(this.place.keyId)), this.home.index, this.home.epoch);
  }

  /** Whether there is a data updater, made on the spot where the handler has no `init`. */
  startsAtOnce(): boolean {
    if (this.updater !== undefined) return true;
    if (this.home.engine.handler.init !== undefined) return false;
    this.started(undefined);
    return true;
  }

  /** Runs `init` where there is no data updater. */
  start(message: TrackedMessage | undefined, then: (failure: DataUpdaterStartError | undefined) => void): void {
    if (this.startsAtOnce()) {
      then(undefined);
      return;
    }
    const { handler } = this.home.engine;
    this.run(
      'init',
      message,
      (run) => {
        const context = run.context();
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
    message: TrackedMessage | undefined,
    invoke: (run: CallbackRun) => unknown,
    then: (end: CallbackEnd) => void,
  ): void {
    this.launch(new PlainRun(name, this.place, message, this.tracker.attempt, invoke, then));
  }

  launch(run: CallbackRun): void {
    this.current = run;
    if (this.home.overdue !== undefined) this.insist(this.home.overdue);
    this.home.engine.callbacks.run(run);
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
    const run = this.current;
    if (run === undefined) return;
    run.abort(error);
    this.home.engine.afterGrace(() => run.end({ ok: false, error, abandoned: true }));
  }

  /** A callback failed: its data updater ends. One that was abandoned may still touch its state, so it is not terminated. */
  failed(error: unknown, abandoned: boolean): void {
    if (abandoned) this.drop(error);
    else this.end(error);
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
    const { engine } = this.home;
    engine.ended();
    if (engine.listening) this.home.emitKey('deactivated', this.place.keyId, { reason });
  }

  keyText(): string {
    return inspectKey(keyBytes(this.place.keyId));
  }

  private started(state: unknown): void {
    const { engine } = this.home;
    this.updater = new DataUpdater(state, engine.clock.now());
    this.tracker.initFailures = 0;
    engine.started();
    if (engine.listening) this.home.emitKey('started', this.place.keyId);
  }

  private startFailed(error: unknown): DataUpdaterStartError {
    const failures = this.tracker.initFailures + 1;
    if (this.home.engine.listening) this.home.emitKey('startFailed', this.place.keyId, { error, failures });
    return new DataUpdaterStartError(this.keyText(), error);
  }

  private retire(updater: DataUpdater): void {
    if (!updater.alive) return;
    updater.alive = false;
    this.home.engine.ending();
  }
}

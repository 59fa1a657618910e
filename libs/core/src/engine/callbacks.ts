import { HandlerTimeoutError } from '../errors/index.js';
import { inspectKey, keyBytes } from '../keys/sharding-key.js';
import type { CallbackEnd, CallbackRun } from './callback-run.js';
import { runInScope } from './callback-scope.js';
import type { Clock } from './clock.js';
import { DeadlineList } from './deadline-list.js';

/** How long a callback may go on after its signal has fired. Milliseconds. */
export const GRACE = 1_000;

/** Runs the handler's callbacks: synchronous or not, within the time-out, and with exactly one end each. */
export class Callbacks {
  private readonly deadlines: DeadlineList<CallbackRun>;

  constructor(
    private readonly clock: Clock,
    private readonly timeout: number,
  ) {
    this.deadlines = new DeadlineList(clock, timeout, (run) => this.expire(run));
  }

  run(run: CallbackRun): void {
    let result: unknown;
    let promise: Promise<unknown> | undefined;
    try {
      result = runInScope(run);
      // A foreign thenable may throw or answer twice; a native promise is taken as it is.
      if (isThenable(result)) promise = Promise.resolve(result);
    } catch (error) {
      run.end({ ok: false, error, abandoned: false });
      return;
    }
    if (promise === undefined) {
      run.end({ ok: true, value: result });
      return;
    }
    this.deadlines.add(run);
    promise.then(
      (value) => this.finish(run, { ok: true, value }),
      (error: unknown) => this.finish(run, { ok: false, error, abandoned: false }),
    );
  }

  stop(): void {
    this.deadlines.stop();
  }

  private finish(run: CallbackRun, end: CallbackEnd): void {
    this.deadlines.remove(run);
    run.end(end);
  }

  private expire(run: CallbackRun): void {
    const error = new HandlerTimeoutError(run.name, inspectKey(keyBytes(run.keyId)), this.timeout);
    run.abort(error);
    this.clock.after(GRACE, () => run.end({ ok: false, error, abandoned: true }));
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

import { HandlerTimeoutError } from '../errors/index.js';
import { inspectKey, keyBytes } from '../keys/sharding-key.js';
import type { CallbackEnd, CallbackRun } from './callback-run.js';
import { runInScope } from './callback-scope.js';
import type { Clock } from '../clock/clock.interface.js';
import { DeadlineList } from './deadline-list.js';
import type { Round } from './round.js';

/** How long a callback may go on after its signal has fired. Milliseconds. */
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

/** Runs the handler's callbacks: synchronous or not, within the time-out, and with exactly one end each. */
export class Callbacks {
  private readonly deadlines: DeadlineList<CallbackRun>;
  /** Promises that this round brought. Most callbacks have ended when it ends, and need no deadline. */
  private fresh: CallbackRun[] = [];
  private readonly spare: Awaiter[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly round: Round,
    private readonly timeout: number,
  ) {
    this.deadlines = new DeadlineList(clock, timeout, (run) => this.expire(run));
    round.atEnd(() => this.setDeadlines());
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
    this.fresh.push(run);
    this.round.begin();
    (this.spare.pop() ?? this.newAwaiter()).wait(run, promise);
  }

  stop(): void {
    this.deadlines.stop();
  }

  private setDeadlines(): void {
    const { fresh } = this;
    if (fresh.length === 0) return;
    this.fresh = [];
    for (const run of fresh) if (run.running) this.deadlines.add(run);
  }

  private newAwaiter(): Awaiter {
    return new Awaiter((awaiter, run, end) => {
      if (this.spare.length < MOST_SPARE) this.spare.push(awaiter);
      this.deadlines.remove(run);
      run.end(end);
    });
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

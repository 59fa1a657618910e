import type { Timer } from '../../clock/clock.interface.js';
import type { Environment } from '../base/environment.js';
import { keyFields, keyTextOf } from '../base/key-text.js';
import type { CallbackRun } from './callback-run.js';

/** Callbacks that are named at a time: whoever waits for one thing, such as a database, waits in a thousand keys. */
const MOST_NAMED = 10;

/** Names the callbacks that run for too long in the log, each once in an interval. */
export class HangingWatch {
  private timer: Timer | undefined;
  /** How many intervals each has run that hangs, as far as it was looked at. */
  private intervals = new Map<CallbackRun, number>();

  constructor(
    private readonly environment: Environment,
    /** What runs, in the order of the starts. */
    private readonly runs: () => Iterable<CallbackRun>,
  ) {}

  /** Something runs: it is looked at again when the first of all has run for an interval. */
  begin(): void {
    if (this.timer === undefined && this.interval !== Infinity) this.look();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private get interval(): number {
    return this.environment.options.hangingInterval;
  }

  private look(): void {
    const { interval } = this;
    const now = this.environment.clock.now();
    const hanging = new Map<CallbackRun, number>();
    let next = Infinity;
    for (const run of this.runs()) {
      const age = now - run.since!;
      const intervals = Math.floor(age / interval);
      next = Math.min(next, (intervals + 1) * interval - age);
      if (intervals === 0) break; // All behind it have run for a shorter time.
      hanging.set(run, intervals);
    }
    this.tell(
      [...hanging].flatMap(([run, intervals]) => (intervals > (this.intervals.get(run) ?? 0) ? [run] : [])),
      now,
    );
    this.intervals = hanging;
    this.timer =
      next === Infinity ? undefined : this.environment.clock.after(Math.max(1, next), () => this.look(), true);
  }

  private tell(runs: readonly CallbackRun[], now: number): void {
    runs.slice(0, MOST_NAMED).forEach((run, index) => {
      const more =
        index === MOST_NAMED - 1 && runs.length > MOST_NAMED ? ` (and ${runs.length - MOST_NAMED} more)` : '';
      this.name(run, Math.round(now - run.since!), more);
    });
  }

  private name(run: CallbackRun, age: number, more: string): void {
    const { log, options } = this.environment;
    const { name, key, message, attempt } = run;
    const end =
      options.handlerTimeout === Infinity
        ? 'and without a handlerTimeout it may do so for ever'
        : `and is abandoned after handlerTimeout, ${Math.round(options.handlerTimeout / 1_000)} s`;
    log.warn(
      `${name} of the key ${keyTextOf(key)} (shard ${key.epoch.shard}) has been running for ${Math.round(age / 1_000)} s: nothing else of the key goes on meanwhile, ${end}${more}`,
      { event: 'hanging', ...keyFields(key), callback: name, messageId: message?.messageId, attempt, age },
    );
  }
}

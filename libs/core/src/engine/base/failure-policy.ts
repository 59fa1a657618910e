import type { Clock } from '../../clock/clock.interface.js';
import { describe } from '../../errors/describe.js';
import { FailurePolicyError } from '../../errors/index.js';
import type { ErrorVerdict, Failure } from '../../interfaces/failure.interface.js';
import type { ResolvedOptions } from '../../mississippi.options.js';
import { backoff } from './backoff.js';
import { LogLimit } from '../../log-limit.js';
import type { Log } from './log.js';
import { NEUTRAL } from './neutral-context.js';
import { isUnwantedPromise } from './thenable.js';

/** A wait that a user's function asks for is no longer than that: a key must come back while somebody remembers it. Milliseconds. */
const LONGEST_WAIT = 86_400_000;

/** Makes a failure for a user's function, where there is one to see it. */
type Seen = () => Failure;

/** The failure policy of one instance: its numbers, and the functions that users gave, which may do anything. */
export class FailurePolicy {
  private readonly limits: Record<'backoff' | 'onError', LogLimit>;

  constructor(
    private readonly options: ResolvedOptions['failurePolicy'],
    private readonly random: () => number,
    private readonly log: Log,
    clock: Clock,
  ) {
    this.limits = { backoff: new LogLimit(clock), onError: new LogLimit(clock) };
  }

  get attempts(): number {
    return this.options.attempts;
  }
  get onExhausted(): 'deadLetter' | 'park' {
    return this.options.onExhausted;
  }

  /**
   * How long to wait after a failure.
   * @param failures how many there were in a row, from 1
   * @returns milliseconds
   */
  delay(failures: number, seen: Seen): number {
    const { waits } = this.options;
    const wait = waits && this.ask('backoff', () => waits(seen()), isWait, 'a number of milliseconds from 0 on');
    return wait === undefined ? this.ordinaryDelay(failures) : Math.min(wait, LONGEST_WAIT);
  }

  /** The same where no function is asked. */
  ordinaryDelay(failures: number): number {
    return backoff(failures, this.options.backoff, this.random);
  }

  /** What the rule for errors says about a failed attempt; `undefined` leaves it to the ordinary policy. */
  verdict(error: unknown, seen: Seen): ErrorVerdict | undefined {
    const { onError } = this.options;
    return onError && this.ask('onError', () => onError(error, seen()), isVerdict, "'retry', 'discard' or 'park'");
  }

  /** Asks a user's function. One that throws or answers nonsense has said nothing. */
  private ask<T>(
    name: 'backoff' | 'onError',
    call: () => unknown,
    makesSense: (answer: unknown) => answer is T,
    expected: string,
  ): T | undefined {
    let answer: unknown;
    let promised: boolean;
    try {
      answer = NEUTRAL.runInAsyncScope(call);
      promised = isUnwantedPromise(answer);
    } catch (error) {
      this.tell(name, FailurePolicyError.thrown(name, error));
      return undefined;
    }
    if (answer === undefined || makesSense(answer)) return answer;
    this.tell(name, FailurePolicyError.answered(name, promised ? 'a promise' : describe(answer), expected));
    return undefined;
  }

  private tell(name: 'backoff' | 'onError', error: FailurePolicyError): void {
    this.limits[name].tell((more, untold) => {
      this.log.error(`${error.message}${more}`, { event: 'policyFailed', untold }, error.cause ?? error);
    });
  }
}

function isWait(answer: unknown): answer is number {
  return typeof answer === 'number' && answer >= 0 && answer < Infinity;
}

function isVerdict(answer: unknown): answer is ErrorVerdict {
  return answer === 'retry' || answer === 'discard' || answer === 'park';
}

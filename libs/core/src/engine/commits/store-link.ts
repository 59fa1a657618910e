import type { Clock } from '../../clock/clock.interface.js';
import { describe } from '../../errors/describe.js';
import { StoreUnavailableError } from '../../errors/index.js';
import { LogLimit } from '../../log-limit.js';
import type { StoreConnection } from '../../store/store.interface.js';
import type { EngineTelemetry } from '../base/engine-telemetry.js';
import type { Log } from '../base/log.js';

/** Milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5_000;

/** The connection to the store, and patience with it: whatever it was asked is asked again until it answers. */
export class StoreLink {
  private readonly limit: LogLimit;
  private away: { readonly since: number; readonly error: unknown; told: boolean } | undefined;
  /** Groups that the store did not take, and questions that it did not answer, at their last try. */
  private untaken = 0;
  private closed = false;
  private patience: { readonly patience: number; readonly tell: (error: Error) => void } | undefined;
  private readonly pauses = new Set<() => void>();

  constructor(
    readonly connection: StoreConnection,
    readonly clock: Clock,
    readonly log: Log,
    private readonly random: () => number,
    readonly telemetry: EngineTelemetry | undefined,
  ) {
    this.limit = new LogLimit(clock);
  }

  /** Milliseconds since the store last answered, while it does not; `undefined` while it does. */
  get awayFor(): number | undefined {
    return this.away === undefined ? undefined : this.clock.now() - this.away.since;
  }

  get problem(): string | undefined {
    return this.away === undefined ? undefined : describe(this.away.error);
  }

  /** It took a commit. */
  committed(): void {
    const { away, awayFor } = this;
    if (away === undefined) return;
    this.away = undefined;
    // Where nothing was said of the trouble, to spare the log, its end is no news either.
    if (away.told) this.log.warn(`The store answers again after ${awayFor} ms.`, { event: 'storeBack', away: awayFor });
  }

  /**
   * It answered a question. That says nothing of commits that it does not take, or of other questions: it may be read-only, a table may
   * be locked, or a right missing.
   */
  answered(): void {
    if (this.untaken === 0) this.committed();
  }

  /**
   * A group is to be tried again, or a question.
   * @returns what is to be called once it is not, whatever became of it
   */
  untook(): () => void {
    this.untaken++;
    return () => void this.untaken--;
  }

  /** @param tell called when the store has not answered for so long. Milliseconds */
  whenAwayFor(patience: number, tell: (error: Error) => void): void {
    this.patience = { patience, tell };
  }

  failed(error: unknown): void {
    if (this.away === undefined) {
      this.away = { since: this.clock.now(), error, told: false };
      this.watch(this.away);
    }
    const { away } = this;
    this.limit.tell((more, untold) => {
      away.told = true;
      this.log.warn(
        `The store does not answer; its shards wait, and nothing is lost: ${describe(error)}${more}`,
        { event: 'storeAway', away: this.awayFor, untold },
        error,
      );
    });
  }

  /**
   * Asks until there is an answer.
   * @param over whether nobody needs it any more
   * @returns `undefined` where it was given up
   */
  async ask<Answer>(question: () => Promise<Answer>, over: () => boolean): Promise<Answer | undefined> {
    let settled: (() => void) | undefined;
    try {
      for (let tries = 1; !over() && !this.closed; tries++) {
        let answer: Answer;
        try {
          answer = await question();
        } catch (error) {
          settled ??= this.untook();
          this.failed(error);
          await this.pause(tries);
          continue;
        }
        settled?.();
        settled = undefined;
        this.answered();
        return answer;
      }
      return undefined;
    } finally {
      settled?.();
    }
  }

  private watch(away: { readonly error: unknown }): void {
    if (this.patience === undefined) return;
    const { patience, tell } = this.patience;
    this.clock.after(
      patience,
      () => {
        if (this.away !== away || this.closed) return;
        tell(new StoreUnavailableError(`The store has not answered for ${patience} ms: ${describe(away.error)}`));
      },
      true,
    );
  }

  /** Waits before the next try: exponential, with jitter. */
  pause(tries: number): Promise<void> {
    if (this.closed) return Promise.resolve();
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(tries, 10));
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.pauses.delete(end);
        resolve();
      };
      const timer = this.clock.after(longest / 2 + (this.random() * longest) / 2, end);
      this.pauses.add(end);
    });
  }

  /** Nothing is asked again. */
  async close(): Promise<void> {
    this.closed = true;
    for (const end of this.pauses) end();
    await this.connection.close();
  }
}

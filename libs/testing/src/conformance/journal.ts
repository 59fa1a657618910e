import assert from 'node:assert/strict';

const LINES_KEPT = 20;
/** A stream of events that leads nowhere ends a wait too, after this many times the longest silence. */
const MOST_SILENCES = 20;

/**
 * What has happened, in order, and the waits for what is to happen. A wait looks at each event and gives up after a
 * silence; then it says what it awaited and what had come instead.
 * @publicApi
 */
export class Journal {
  private readonly lines: string[] = [];
  private readonly faults: string[] = [];
  private readonly waits = new Set<() => void>();
  private count = 0;

  /** @param within the longest silence in milliseconds that a wait bears */
  constructor(readonly within: number) {}

  note(line: string): void {
    this.count++;
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    this.wake();
  }

  /** Notes what must never happen: it fails every wait, and {@link verify}. */
  fault(line: string): void {
    this.faults.push(line);
    this.note(`FAULT: ${line}`);
  }

  /** @throws {AssertionError} when something happened that must not */
  verify(): void {
    if (this.faults.length > 0) assert.fail(`${this.faults.slice(0, 5).join('; ')}\n${this.story()}`);
  }

  /** Lets the waits look again. */
  wake(): void {
    for (const look of this.waits) look();
  }

  /** Resolves with what the probe finds, looked for now and at each event. */
  until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const started = Date.now();
      // Where the wait began, which a timer's own stack does not tell.
      const origin: { stack?: string } = {};
      Error.captureStackTrace(origin);
      const before = this.count;
      const finish = (): void => {
        clearTimeout(silence);
        this.waits.delete(look);
      };
      const giveUp = (): void => {
        finish();
        const events = this.count - before;
        const message = `Waited ${Date.now() - started} ms for ${what}; meanwhile ${events} events came.\n${this.story()}`;
        const error = new assert.AssertionError({ message, operator: 'fail' });
        error.stack = `${error.name}: ${message}${origin.stack?.slice(origin.stack.indexOf('\n')) ?? ''}`;
        reject(error);
      };
      const look = (): void => {
        try {
          this.verify();
          const found = probe();
          if (found === undefined || found === false) {
            if (Date.now() - started > MOST_SILENCES * this.within) giveUp();
            else silence.refresh();
            return;
          }
          finish();
          resolve(found);
        } catch (error) {
          finish();
          reject(error);
        }
      };
      const silence = setTimeout(giveUp, this.within);
      this.waits.add(look);
      look();
    });
  }

  /** Watches a promise, so that its end counts as an event and it can be awaited for a bounded time. */
  watch<T>(what: string, promise: Promise<T>): Watched<T> {
    return new Watched(this, what, promise);
  }

  /** The value of a promise that must resolve. */
  settled<T>(what: string, promise: Promise<T>): Promise<T> {
    return this.watch(what, promise).value();
  }

  /** The error of a promise that must reject. */
  rejected(what: string, promise: Promise<unknown>): Promise<unknown> {
    return this.watch(what, promise).error();
  }

  private story(): string {
    if (this.count === 0) return 'Nothing had happened before.';
    return `The last of ${this.count} events:\n${this.lines.map((line) => `  ${line}`).join('\n')}`;
  }
}

/**
 * A promise whose end is awaited for a bounded time.
 * @publicApi
 */
export class Watched<T> {
  private outcome: { readonly value: T } | { readonly error: unknown } | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly what: string,
    promise: Promise<T>,
  ) {
    promise.then(
      (value) => this.end({ value }),
      (error: unknown) => this.end({ error }),
    );
  }

  get isSettled(): boolean {
    return this.outcome !== undefined;
  }

  async value(): Promise<T> {
    const outcome = await this.journal.until(this.what, () => this.outcome);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  async error(): Promise<unknown> {
    const outcome = await this.journal.until(`${this.what} to be rejected`, () => this.outcome);
    if ('value' in outcome) assert.fail(`${this.what} had to be rejected, but resolved`);
    return outcome.error;
  }

  private end(outcome: { readonly value: T } | { readonly error: unknown }): void {
    this.outcome = outcome;
    this.journal.wake();
  }
}

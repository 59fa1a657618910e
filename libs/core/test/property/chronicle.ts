import { Checker, lineOf, type HistoryEvent, type Limits, type Promised } from '@mississippi/history';

/** `kept`: what is at rest must hold nothing, which no event tells. */
export type Broken = Promised | 'kept';

interface Violation {
  readonly promise: Broken;
  readonly text: string;
}

/** What one scenario brought about, and what of it breaks a promise. */
export class Chronicle {
  private readonly checker: Checker;
  private readonly events: HistoryEvent[] = [];
  private readonly found: Violation[] = [];

  constructor(limits: Limits) {
    this.checker = new Checker(limits);
  }

  see(event: HistoryEvent): void {
    this.events.push(event);
    this.checker.see(event);
  }

  /** What no event tells was found broken. */
  violation(promise: Broken, text: string): void {
    this.found.push({ promise, text });
  }

  get violations(): readonly Violation[] {
    return [...this.found, ...this.checker.violations];
  }

  /** Nothing comes any more: nothing may be left. */
  end(): void {
    this.checker.end();
  }

  /** One line for each thing that happened. */
  get log(): string {
    return this.events.map((event) => lineOf(event, 0)).join('\n');
  }
}

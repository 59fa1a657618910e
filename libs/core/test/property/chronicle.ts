import { Checker, lineOf, type HistoryEvent, type Limits } from '@mississippi/history';

/** What one scenario brought about, and what of it breaks a promise. */
export class Chronicle {
  private readonly checker: Checker;
  private readonly events: HistoryEvent[] = [];
  private readonly found: string[] = [];

  constructor(limits: Limits) {
    this.checker = new Checker(limits);
  }

  see(event: HistoryEvent): void {
    this.events.push(event);
    this.checker.see(event);
  }

  /** What no event tells was found broken. */
  violation(text: string): void {
    this.found.push(text);
  }

  get violations(): readonly string[] {
    return [...this.found, ...this.checker.violations.map(({ text }) => text)];
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

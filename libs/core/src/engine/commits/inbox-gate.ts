import type { InboxEntry, MessageIdentity } from '../../store/store.interface.js';
import type { BatchedQuestions } from './batched-questions.js';

class Entrant {
  answered = false;
  entry: InboxEntry | undefined = undefined;

  constructor(
    readonly ticket: number,
    readonly pass: (ticket: number, entry: InboxEntry | undefined) => void,
    readonly refuse: (error: Error) => void,
  ) {}
}

/**
 * Asks the inbox about what arrives in a shard, and lets it through in the order in which it came. What arrives together is one
 * question, and the next question does not wait for the answer to the one before.
 */
export class InboxGate {
  private waiting: Entrant[] = [];
  private first = 0;
  private tickets = 0;
  private closed: Error | undefined = undefined;

  /** @param passed called when something has passed */
  constructor(
    private readonly questions: BatchedQuestions<MessageIdentity, InboxEntry | undefined>,
    private readonly passed: () => void,
  ) {}

  /** The last ticket that was given. What gets a later one is looked up after this moment. */
  get last(): number {
    return this.tickets;
  }

  /** The first ticket that has not passed. */
  get oldest(): number {
    return this.waiting[this.first]?.ticket ?? this.tickets + 1;
  }

  /** Whether nothing waits for its answer. */
  get empty(): boolean {
    return this.first === this.waiting.length;
  }

  /**
   * @param identity `undefined` for a message without an id, which only keeps its place
   * @param pass gets the ticket, which grows with each message
   * @param refuse called instead where the gate is closed
   */
  enter(
    identity: MessageIdentity | undefined,
    pass: (ticket: number, entry: InboxEntry | undefined) => void,
    refuse: (error: Error) => void = () => undefined,
  ): void {
    if (this.closed !== undefined) {
      refuse(this.closed);
      return;
    }
    const ticket = ++this.tickets;
    if (identity === undefined && this.empty) {
      pass(ticket, undefined);
      return;
    }
    const entrant = new Entrant(ticket, pass, refuse);
    this.waiting.push(entrant);
    if (identity === undefined) {
      entrant.answered = true;
      return;
    }
    this.questions.ask(
      identity,
      () => this.closed !== undefined,
      (entry) => {
        entrant.answered = true;
        entrant.entry = entry;
        this.letPass();
      },
    );
  }

  /** Nothing passes any more. */
  close(error: Error): void {
    if (this.closed !== undefined) return;
    this.closed = error;
    const refused = this.waiting.slice(this.first);
    this.waiting = [];
    this.first = 0;
    for (const { refuse } of refused) refuse(error);
  }

  private letPass(): void {
    while (this.first < this.waiting.length && this.waiting[this.first]!.answered) {
      const { pass, ticket, entry } = this.waiting[this.first]!;
      this.first++;
      pass(ticket, entry);
    }
    if (this.empty) {
      this.waiting = [];
      this.first = 0;
    }
    this.passed();
  }
}

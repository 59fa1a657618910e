import { runNeutrally } from '../base/neutral-context.js';
import type { StoreLink } from './store-link.js';

/** Questions in one round trip. */
const MOST_AT_ONCE = 1_000;

interface Asked<Question, Answer> {
  readonly question: Question;
  readonly tell: (answer: Answer) => void;
  /** Whether nobody needs the answer any more. */
  readonly over: () => boolean;
}

/**
 * Questions to the store, those of one round of the event loop together. They are asked until they are answered, or nobody
 * needs an answer any more.
 */
export class BatchedQuestions<Question, Answer> {
  private collected: Asked<Question, Answer>[] = [];

  constructor(
    private readonly link: StoreLink,
    private readonly put: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  ) {}

  /** @param tell not called once it is over */
  ask(question: Question, over: () => boolean, tell: (answer: Answer) => void): void {
    if (this.collected.length === 0) runNeutrally(() => this.link.clock.soon(() => this.send()));
    this.collected.push({ question, over, tell });
  }

  private send(): void {
    const { collected } = this;
    this.collected = [];
    for (let from = 0; from < collected.length; from += MOST_AT_ONCE) {
      void this.answer(collected.slice(from, from + MOST_AT_ONCE));
    }
  }

  private async answer(asked: readonly Asked<Question, Answer>[]): Promise<void> {
    const answers = await this.link.ask(
      () => this.put(asked.map(({ question }) => question)),
      () => asked.every(({ over }) => over()),
    );
    if (answers === undefined) return;
    asked.forEach(({ over, tell }, index) => {
      if (!over()) tell(answers[index] as Answer);
    });
  }
}

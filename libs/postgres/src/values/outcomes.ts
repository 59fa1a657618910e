import type { InboxOutcome, OutboxMessage } from '@mississippi/core/store';

/** What stands in the tables; the order may never change. */
const OUTCOMES: readonly InboxOutcome[] = ['handled', 'discarded', 'exhausted', 'dropped'];
const KINDS: readonly OutboxMessage['kind'][] = ['message', 'deadLetter'];

export const HANDLED = OUTCOMES.indexOf('handled');

export function outcomeNumber(outcome: InboxOutcome): number {
  return OUTCOMES.indexOf(outcome);
}

export function outcomeOf(number: number): InboxOutcome {
  return OUTCOMES[number]!;
}

export function kindNumber(kind: OutboxMessage['kind']): number {
  return KINDS.indexOf(kind);
}

export function kindOf(number: number): OutboxMessage['kind'] {
  return KINDS[number]!;
}

import type { DeadLetterFilter } from '../../interfaces/dead-letter.interface.js';
import type { Letter } from './letter.js';

/** What a filter asks for; its key canonical. */
export interface LetterFilter extends Omit<DeadLetterFilter, 'key'> {
  readonly key?: Uint8Array | undefined;
}

export function passes(filter: LetterFilter, letter: Letter): boolean {
  const { id, key, reason, type, since, until } = filter;
  if (reason !== undefined && letter.reason !== reason) return false;
  if (type !== undefined && letter.type !== type) return false;
  if (key !== undefined && (letter.key === undefined || Buffer.compare(letter.key, key) !== 0)) return false;
  const { failedAt } = letter;
  if (since !== undefined && !(failedAt !== undefined && failedAt >= since.getTime())) return false;
  if (until !== undefined && !(failedAt !== undefined && failedAt < until.getTime())) return false;
  return id === undefined || letter.id === id; // Last, since it is a hash.
}

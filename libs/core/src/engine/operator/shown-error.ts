import { describeWithCause } from '../../errors/describe.js';

/** Characters. */
export const LONGEST_ERROR = 1_000;
const LONGEST_STACK = 4_000;

/** An error with its causes, bounded. */
export function textFor(error: unknown): string {
  return describeWithCause(error).slice(0, LONGEST_ERROR);
}

/** Where it was thrown, bounded; `undefined` of what has no stack. It never throws, whatever the value is. */
export function stackFor(error: unknown): string | undefined {
  try {
    return error instanceof Error && typeof error.stack === 'string' ? error.stack.slice(0, LONGEST_STACK) : undefined;
  } catch {
    return undefined;
  }
}

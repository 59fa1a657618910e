import type { DeadLetterFilter, DeadLetterReason } from '@mississippi/core';
import { Refusal } from '../http/refusal.js';
import { keyAt } from './key-address.js';

/** What came in a url or a body: nobody has checked it yet. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Characters. */
const LONGEST = 1_000;

/** @throws {Refusal} */
export function textIn(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST) return value;
  throw new Refusal(400, 'parameter_invalid', `${name} must be a text of 1 to ${LONGEST} characters.`);
}

/** @throws {Refusal} */
export function countIn(name: string, value: unknown, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  const count = Number(value);
  if (Number.isInteger(count) && count >= 0 && count <= most) return count;
  throw new Refusal(400, 'parameter_invalid', `${name} must be a whole number from 0 to ${most}.`);
}

/**
 * Which dead letters are meant; without any of it all.
 * @throws {Refusal}
 */
export function filterOf({ key, reason, type }: Parameters): DeadLetterFilter {
  return {
    ...(isGiven(key) && { key: keyAt(key) }),
    ...(isGiven(reason) && { reason: textIn('reason', reason) as DeadLetterReason }),
    ...(isGiven(type) && { type: textIn('type', type) }),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

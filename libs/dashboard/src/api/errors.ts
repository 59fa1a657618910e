import { MississippiError } from '@mississippi/core';
import { Refusal } from '../http/refusal.js';
import type { WireError } from '../wire.js';

/** Codes of the operator API that HTTP has a status for; all others are a conflict with how things stand. */
const STATUSES: Readonly<Record<string, number>> = {
  dead_letter_not_found: 404,
  invalid_sharding_key: 400,
  missing_sharding_key: 400,
  operator_timeout: 504,
  no_owner: 503,
  store_unavailable: 503,
  not_started: 503,
  shutting_down: 503,
};

export function statusOf(error: unknown): number {
  if (error instanceof Refusal) return error.status;
  return error instanceof MississippiError ? (STATUSES[error.code] ?? 409) : 500;
}

/** Errors of the library say what is wrong and what to do. Of others the app's log has more than the page should. */
export function wireError(error: unknown): WireError {
  if (error instanceof Refusal || error instanceof MississippiError)
    return { code: error.code, message: error.message };
  return { code: 'internal', message: 'This failed for a reason that is in the log of the app.' };
}

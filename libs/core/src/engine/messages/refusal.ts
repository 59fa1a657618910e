import type { DeadLetterReason } from '../../note-headers.js';

/** Why a message is refused for good. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
}

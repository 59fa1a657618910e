import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { DeadLetterReason } from '../../note-headers.js';

/** Why a message is refused for good. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
  /** What was noted of its failure when it was parked, where only that is known. */
  readonly noted?: MessageHeaders | undefined;
}

import { describeWithCause } from '../../errors/describe.js';
import { MississippiError } from '../../errors/mississippi.error.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { inspectKey } from '../../keys/sharding-key.js';
import { NOTE_HEADERS, type DeadLetterReason, type ParkReason } from '../../note-headers.js';
import type { EngineEpoch } from '../base/engine-key.js';

const MOST_ERROR_BYTES = 2_048;

/** What failed, where anything did. */
export interface FailureNote {
  readonly error?: unknown;
  readonly attempts?: number;
}

/** The headers that say why a message leaves its queue. */
export function notes(
  reason: DeadLetterReason | ParkReason,
  key: Uint8Array | undefined,
  { environment, shard }: EngineEpoch,
  { error, attempts = 0 }: FailureNote = {},
): MessageHeaders {
  return {
    [NOTE_HEADERS.reason]: reason,
    ...(error === undefined ? {} : { [NOTE_HEADERS.error]: errorText(error) }),
    [NOTE_HEADERS.attempts]: attempts,
    [NOTE_HEADERS.shard]: shard,
    [NOTE_HEADERS.time]: environment.clock.time(),
    [NOTE_HEADERS.key]: inspectKey(key),
  };
}

/** The library's own errors appear as their message, a user's with class and causes. */
function errorText(error: unknown): string {
  const text = error instanceof MississippiError ? error.message : describeWithCause(error);
  const bytes = Buffer.from(text);
  // Cutting inside a character leaves a replacement character at the end, which is text still.
  return bytes.length <= MOST_ERROR_BYTES ? text : `${bytes.toString('utf8', 0, MOST_ERROR_BYTES - 3)}…`;
}

import { describeWithCause } from '../errors/describe.js';
import { MississippiError } from '../errors/mississippi.error.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { inspectKey } from '../keys/sharding-key.js';

/** Headers that a message gets when it goes to the dead letters or to the side queue. Together at most 4 KB. */
export const NOTE_HEADERS = {
  /** `discarded`, `attempts_exhausted`, `payload_undecodable`... ; see {@link DeadLetterReason}. */
  reason: 'mississippi_reason',
  error: 'mississippi_error',
  attempts: 'mississippi_attempts',
  shard: 'mississippi_shard',
  /** Milliseconds since the epoch. */
  time: 'mississippi_failed_at_ms',
  /** The key as text, for people; the header `sharding_key` keeps the bytes. */
  key: 'mississippi_key',
} as const;

/** Why a message is in the dead letters. */
export type DeadLetterReason =
  | 'discarded'
  | 'attempts_exhausted'
  | 'payload_undecodable'
  | 'payload_invalid'
  | 'key_missing'
  | 'key_undecodable'
  | 'wrong_shard'
  | 'dropped';

export type ParkReason = 'attempts_exhausted' | 'operator' | 'pressure';

const MOST_ERROR_BYTES = 2_048;

export function notes(
  reason: DeadLetterReason | ParkReason,
  details: { error?: unknown; attempts?: number; shard: number; time: number; key: Uint8Array | undefined },
): MessageHeaders {
  return {
    [NOTE_HEADERS.reason]: reason,
    ...(details.error === undefined ? {} : { [NOTE_HEADERS.error]: errorText(details.error) }),
    [NOTE_HEADERS.attempts]: details.attempts ?? 0,
    [NOTE_HEADERS.shard]: details.shard,
    [NOTE_HEADERS.time]: details.time,
    [NOTE_HEADERS.key]: inspectKey(details.key),
  };
}

/** The library's own errors are told by their message; a user's with class and causes. */
function errorText(error: unknown): string {
  const text = error instanceof MississippiError ? error.message : describeWithCause(error);
  const bytes = Buffer.from(text);
  // Cutting inside a character leaves a replacement character at the end, which is text still.
  return bytes.length <= MOST_ERROR_BYTES ? text : `${bytes.toString('utf8', 0, MOST_ERROR_BYTES - 3)}…`;
}

/**
 * Headers that a message gets when it goes to the dead letters or to the side queue. Together at most 4 KB.
 * @publicApi
 */
export const NOTE_HEADERS = {
  /** A {@link DeadLetterReason} or a {@link ParkReason}. */
  reason: 'mississippi_reason',
  error: 'mississippi_error',
  /** Where the error was thrown; at most 1,500 bytes of it. */
  stack: 'mississippi_stack',
  attempts: 'mississippi_attempts',
  shard: 'mississippi_shard',
  /** Unix time in milliseconds. */
  time: 'mississippi_failed_at_ms',
  /** The key as text, for people; the header `sharding_key` keeps the bytes. */
  key: 'mississippi_key',
} as const;

/**
 * Header of a message that was taken from the dead letters and published again, with its id: which replay it is, from 1.
 * @publicApi
 */
export const REPLAY_HEADER = 'mississippi_replay';

/**
 * Why a message is in the dead letters. `message_id_conflict`: its key has finished another message with the same id;
 * `unpublishable`: a handler published it, and the broker refuses it; `unknown_type`: no method of its handler claims its type.
 * @publicApi
 */
export type DeadLetterReason =
  | 'discarded'
  | 'attempts_exhausted'
  | 'payload_undecodable'
  | 'payload_invalid'
  | 'unknown_type'
  | 'key_missing'
  | 'key_undecodable'
  | 'wrong_shard'
  | 'message_id_conflict'
  | 'unpublishable'
  | 'dropped';

/**
 * Why a key's messages are in the side queue. `type_paused`: its first message is of a type that an operator has paused.
 * @publicApi
 */
export type ParkReason = 'attempts_exhausted' | 'error_rule' | 'unknown_type' | 'type_paused' | 'operator' | 'pressure';

import type { Clock } from '../../clock/clock.interface.js';
import { describeWithCause } from '../../errors/describe.js';
import { MississippiError } from '../../errors/mississippi.error.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { inspectKey } from '../../keys/sharding-key.js';
import { NOTE_HEADERS, type DeadLetterReason, type ParkReason } from '../../note-headers.js';
import { stackOf } from '../base/log.js';
import { isOwnFrame } from '../base/own-frames.js';
import type { EngineEpoch } from '../base/engine-key.js';

const MOST_ERROR_BYTES = 1_400;
const MOST_STACK_BYTES = 1_500;

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
    ...stackNote(error),
    [NOTE_HEADERS.attempts]: attempts,
    [NOTE_HEADERS.shard]: shard,
    [NOTE_HEADERS.time]: environment.clock.time(),
    [NOTE_HEADERS.key]: inspectKey(key),
  };
}

/** Since when a message is where notes of it went with it, on this process's clock; `undefined` where they do not say. Milliseconds. */
export function notedAt({ [NOTE_HEADERS.time]: time }: MessageHeaders, clock: Clock): number | undefined {
  // The clocks of two machines may differ.
  return typeof time === 'number' ? clock.now() - Math.max(0, clock.time() - time) : undefined;
}

/** The library's own errors appear as their message, a user's with class and causes. */
function errorText(error: unknown): string {
  const text = error instanceof MississippiError ? error.message : describeWithCause(error);
  return cut(text, MOST_ERROR_BYTES);
}

/** The library's own errors tell what to do; where they were thrown helps nobody. */
function stackNote(error: unknown): MessageHeaders {
  const stack = error instanceof MississippiError ? undefined : stackOf(error);
  if (stack === undefined) return {};
  // The first line repeats the error.
  const frames = stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    // How the library called the handler is the same in every stack.
    .filter((line) => !isOwnFrame(line) && !line.includes('node:async_hooks'))
    .join('\n');
  return frames === '' ? {} : { [NOTE_HEADERS.stack]: cut(frames, MOST_STACK_BYTES) };
}

function cut(text: string, most: number): string {
  const bytes = Buffer.from(text);
  // Cutting inside a character leaves a replacement character at the end, which is text still.
  return bytes.length <= most ? text : `${bytes.toString('utf8', 0, most - 3)}…`;
}

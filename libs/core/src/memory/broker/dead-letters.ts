import { PublishError } from '../../errors/index.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { MemoryMessage } from './memory-message.js';

/**
 * A message in the dead letters of the embedded broker.
 * @publicApi
 */
export interface MemoryDeadLetter {
  /** The key in the external term format, as it arrived; `undefined` where the message had none. */
  readonly key: Uint8Array | undefined;
  readonly body: Uint8Array;
  /** The message's own headers and what was noted. */
  readonly headers: MessageHeaders;
  readonly messageId: string | undefined;
  /** Unix time in seconds. */
  readonly timestamp: number | undefined;
}

/** What handlers refused for good, up to a limit. */
export class DeadLetters {
  /** Oldest first. */
  readonly letters: MemoryDeadLetter[] = [];

  constructor(private readonly limit: number) {}

  /** @throws {PublishError} when there are as many as the limit allows */
  add(message: MemoryMessage, notes: MessageHeaders): void {
    if (this.letters.length >= this.limit) {
      throw new PublishError(
        'nacked',
        `The embedded dead letters hold ${this.letters.length} messages, their limit: read them with broker.takeDeadLetters(), or raise deadLetterLimit.`,
      );
    }
    const { key, body, headers, messageId, timestamp } = message;
    this.letters.push({ key, body, headers: { ...headers, ...message.parked?.notes, ...notes }, messageId, timestamp });
  }

  /** Removes all of them. */
  take(): MemoryDeadLetter[] {
    return this.letters.splice(0);
  }
}

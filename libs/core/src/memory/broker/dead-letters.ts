import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../../interfaces/message-properties.interface.js';
import { DeadLettersBusyError } from '../../errors/index.js';
import type { DeadLetterReader, Delivery } from '../../transport/transport.interface.js';
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
  readonly properties: MessageProperties | undefined;
}

/** What handlers refused for good: the latest, up to a limit. */
export class DeadLetters {
  /** Oldest first. */
  readonly letters: MemoryDeadLetter[] = [];
  private droppedCount = 0;
  private reading = false;
  /** Those that a reader need not look for. */
  private readonly gone = new WeakSet<MemoryDeadLetter>();

  constructor(readonly limit: number) {}

  /** How many were dropped because there were more than the limit allows. */
  get dropped(): number {
    return this.droppedCount;
  }

  /** Where there are as many as the limit allows, the oldest is dropped: waiting for room would hold up its key. Returns whether one was. */
  add(message: MemoryMessage, notes: MessageHeaders): boolean {
    const { key, body, headers, messageId, timestamp, properties } = message;
    const noted = { ...headers, ...message.parked?.notes, ...notes };
    return this.keep({ key, body, headers: noted, messageId, timestamp, properties });
  }

  /** The same for a message that was in no queue. */
  keep(letter: MemoryDeadLetter): boolean {
    this.letters.push(letter);
    if (this.letters.length <= this.limit) return false;
    this.gone.add(this.letters.shift()!);
    this.droppedCount++;
    return true;
  }

  /**
   * Reads those that are here now. One that is taken or dropped meanwhile is passed over.
   * @throws {DeadLettersBusyError}
   */
  read(): DeadLetterReader {
    if (this.reading) throw new DeadLettersBusyError();
    this.reading = true;
    const letters = [...this.letters];
    const read = new Map<Delivery, MemoryDeadLetter>();
    let at = 0;
    return {
      total: letters.length,
      next: async () => {
        while (at < letters.length && this.gone.has(letters[at]!)) at++;
        const letter = letters[at++];
        if (letter === undefined) return undefined;
        const delivery = { ...letter, redelivered: true };
        read.set(delivery, letter);
        return delivery;
      },
      remove: (delivery) => this.remove(read.get(delivery)!),
      close: async () => void (this.reading = false),
    };
  }

  private remove(letter: MemoryDeadLetter): void {
    const index = this.letters.indexOf(letter);
    if (index >= 0) this.letters.splice(index, 1);
    this.gone.add(letter);
  }

  /** Removes all of them. */
  take(): MemoryDeadLetter[] {
    for (const letter of this.letters) this.gone.add(letter);
    return this.letters.splice(0);
  }
}

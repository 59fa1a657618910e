import type { Clock } from '../../clock/clock.interface.js';
import type { FifoItem } from '../../collections/fifo.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { NOTE_HEADERS } from '../../note-headers.js';
import { notedAt } from './notes.js';

/** By what a message may be named, by an operator say. */
export interface NamedMessage {
  /** `undefined` where it has none. */
  readonly messageId: string | undefined;
  /** Its property `type`. */
  readonly type: string | undefined;
}

/** What is known of a message in the side queue, or on its way there. */
export class ParkedMessage implements NamedMessage, FifoItem<ParkedMessage> {
  next: ParkedMessage | undefined = undefined;
  /** What was noted of its failure, where it had failed; a letter of it has the same. */
  readonly failure: MessageHeaders | undefined;
  /** Since when it has been there, on the engine's clock. Milliseconds. */
  readonly since: number | undefined;

  constructor(
    readonly messageId: string | undefined,
    readonly type: string | undefined,
    notes: MessageHeaders,
    clock: Clock,
  ) {
    this.failure = failureIn(notes);
    this.since = notedAt(notes, clock);
  }

  /** As it was noted. */
  get error(): string | undefined {
    const text = this.failure?.[NOTE_HEADERS.error];
    return typeof text === 'string' ? text : undefined;
  }
}

const OF_FAILURE = [NOTE_HEADERS.error, NOTE_HEADERS.stack, NOTE_HEADERS.attempts];

function failureIn(notes: MessageHeaders): MessageHeaders | undefined {
  if (notes[NOTE_HEADERS.error] === undefined) return undefined;
  return Object.fromEntries(Object.entries(notes).filter(([name]) => (OF_FAILURE as readonly string[]).includes(name)));
}

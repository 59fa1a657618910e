import type { Asked } from '../../../src/coordination/operator-mail.js';
import type { TypePauses } from '../../../src/coordination/pauses.js';
import type { Report } from '../../../src/coordination/reports.js';
import type { SimulatedClock } from '../time/simulated-clock.js';
import type { Channel } from './channel.js';

/** What comes to whoever coordinates. */
export type Content =
  | { readonly report: Report }
  | { readonly asked: Asked; readonly question: string }
  | { readonly pauses: TypePauses }
  | { readonly mark: string };

/** A message for whoever coordinates. */
export interface Letter {
  /** Its place in the queue, which it keeps when it comes back. */
  place: number;
  readonly address: string;
  readonly content: Content;
  readonly expiresAt: number;
  again: boolean;
}

/** A consumer of the queue. */
export interface Reader {
  readonly channel: Channel;
  readonly got: (letter: Letter) => void;
  /** The queue was deleted. */
  readonly cancelled: () => void;
}

/** Somebody else consumes it. */
export class InUseError extends Error {
  override readonly name = 'InUseError';
}

/** The queue of reports. One reads it: others are refused, or wait where it has a single active consumer. */
export class CoordinatorQueue {
  private exists = false;
  private readers: { readonly reader: Reader; readonly unsettled: Set<Letter> }[] = [];
  private waiting: Letter[] = [];
  private places = 0;

  constructor(
    private readonly clock: SimulatedClock,
    /** Whether others wait until the reader goes, as in quorum queues; otherwise they are refused. */
    private readonly waits: boolean,
  ) {}

  /** Returns how many consume it. */
  declare(): number {
    this.exists = true;
    return this.readers.length;
  }

  /** Whose it is at present. */
  get active(): Reader | undefined {
    return this.readers[0]?.reader;
  }

  delete(): void {
    const { readers } = this;
    this.exists = false;
    this.readers = [];
    this.waiting = [];
    for (const { reader } of readers) reader.channel.deliver(() => reader.cancelled());
  }

  /** @throws {InUseError} when somebody else has it */
  consume(reader: Reader): void {
    if (!this.exists) throw new Error('there is no such queue');
    if (this.readers.length > 0 && !this.waits) throw new InUseError();
    this.readers.push({ reader, unsettled: new Set() });
    this.feed();
  }

  /** Without the queue nothing is kept, and nobody is told (AMQP 0-9-1: what is not mandatory is dropped). */
  publish(letter: Omit<Letter, 'place' | 'again'>): void {
    if (!this.exists) return;
    this.waiting.push({ ...letter, place: this.places++, again: false });
    this.feed();
  }

  settle(reader: Reader, letter: Letter): void {
    this.readers.find((one) => one.reader === reader)?.unsettled.delete(letter);
  }

  /** Its channel or connection has ended: what it has not settled comes to the next one. */
  gone(test: (reader: Reader) => boolean): void {
    const gone = this.readers.filter(({ reader }) => test(reader));
    if (gone.length === 0) return;
    this.readers = this.readers.filter(({ reader }) => !test(reader));
    for (const { unsettled } of gone)
      for (const letter of unsettled) {
        letter.again = true;
        this.waiting.push(letter);
      }
    this.waiting.sort((a, b) => a.place - b.place);
    this.feed();
  }

  private feed(): void {
    const [first] = this.readers;
    if (first === undefined) return;
    const { waiting } = this;
    this.waiting = [];
    for (const letter of waiting) {
      if (letter.expiresAt <= this.clock.exact) continue;
      first.unsettled.add(letter);
      first.reader.channel.deliver(() => first.reader.got(letter));
    }
  }
}

import { DeadLetterNotFoundError, DeadLettersUnreadableError } from '../../errors/index.js';
import type {
  DeadLetterDetails,
  DeadLetterList,
  DeadLetterProgress,
  DeadLetterReport,
} from '../../interfaces/dead-letter.interface.js';
import type { PayloadCodec } from '../../interfaces/payload-codec.interface.js';
import type { DeadLetterReader, OutgoingMessage, TransportConnection } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import { Letter } from './letter.js';
import { passes, type LetterFilter } from './letter-filter.js';
import { Pace } from './pace.js';
import { redacted } from './redacted.js';
import { Replay } from './replay.js';

type Told = (progress: DeadLetterProgress) => void;

/** What whoever has dead letters worked through hears of it, and how he ends it. */
export interface Course {
  readonly progress: Told;
  readonly signal: AbortSignal | undefined;
}

/** How often at least progress is told while nothing passes the filter. Dead letters. */
const TELL_EACH = 1_000;

/** What an operator does with dead letters. Each call reads them from the first one on, and nobody else may meanwhile. */
export class DeadLetterCalls {
  constructor(
    private readonly environment: Environment,
    private readonly connection: TransportConnection,
    private readonly codec: PayloadCodec,
    private readonly publish: (message: OutgoingMessage) => Promise<void>,
  ) {}

  list(filter: LetterFilter, limit: number): Promise<DeadLetterList> {
    return this.reading(async (reader) => {
      const letters: DeadLetterReport[] = [];
      for await (const letter of matching(reader, filter)) {
        if (letters.length === limit) return { letters, more: true, total: reader.total };
        letters.push(letter.report(this.environment.keyText));
      }
      return { letters, more: false, total: reader.total };
    });
  }

  /** @throws {DeadLetterNotFoundError} */
  show(id: string): Promise<DeadLetterDetails> {
    return this.reading(async (reader) => {
      for await (const letter of matching(reader, { id })) return this.details(letter);
      throw new DeadLetterNotFoundError(id);
    });
  }

  /**
   * @param rate messages a second
   * @throws {ReplayStoppedError}
   */
  replay(filter: LetterFilter, rate: number, course: Course): Promise<DeadLetterProgress> {
    const { clock } = this.environment;
    return this.working(filter, course, async (reader, letters, progress) => {
      const { publish } = this;
      const published = ({ delivery }: Letter): void => {
        reader.remove(delivery);
        progress.done();
      };
      const replay = new Replay({ clock, totalCount: this.connection.totalCount, publish, published });
      const pace = new Pace(clock, rate);
      try {
        for await (const letter of letters) {
          if (letter.key === undefined) {
            progress.passedOver();
            continue;
          }
          await pace.turn();
          await replay.add(letter, letter.key);
        }
      } finally {
        await replay.end(); // What is under way is settled before the reader is closed.
      }
    });
  }

  drop(filter: LetterFilter, course: Course): Promise<DeadLetterProgress> {
    return this.working(filter, course, async (reader, letters, progress) => {
      for await (const { delivery } of letters) {
        reader.remove(delivery);
        progress.done();
      }
    });
  }

  private working(
    filter: LetterFilter,
    { progress: told, signal }: Course,
    work: (reader: DeadLetterReader, letters: AsyncIterable<Letter>, progress: Progress) => Promise<void>,
  ): Promise<DeadLetterProgress> {
    return this.reading(async (reader) => {
      const progress = new Progress(reader.total, told);
      await work(
        reader,
        matching(reader, filter, () => progress.readOne(), signal),
        progress,
      );
      const { now } = progress;
      if (filter.id !== undefined && now.done + now.withoutKey === 0 && signal?.aborted !== true)
        throw new DeadLetterNotFoundError(filter.id);
      told(now);
      return now;
    });
  }

  private async reading<T>(work: (reader: DeadLetterReader) => Promise<T>): Promise<T> {
    const reader = await this.connection.readDeadLetters?.();
    if (reader === undefined) throw new DeadLettersUnreadableError();
    let worked: T;
    try {
      worked = await work(reader);
    } catch (error) {
      await reader.close().catch(() => undefined); // What went wrong first says more: with the broker gone the reader cannot be closed either.
      throw error;
    }
    await reader.close();
    return worked;
  }

  private async details(letter: Letter): Promise<DeadLetterDetails> {
    const { delivery, headers, stack } = letter;
    const { redact } = this.environment.options;
    const report = letter.report(this.environment.keyText);
    const { key, type } = report;
    let payload: unknown;
    try {
      payload = await this.codec.decode(delivery.body);
    } catch {
      payload = undefined; // Which may be why it is here.
    }
    return {
      ...report,
      payload: redacted(redact, payload, { what: 'payload', key, type }),
      body: redact === undefined ? delivery.body : undefined,
      headers,
      properties: delivery.properties ?? {},
      timestamp: delivery.timestamp,
      stack,
    };
  }
}

class Progress {
  private read = 0;
  private finished = 0;
  private withoutKey = 0;

  constructor(
    private readonly total: number,
    private readonly told: Told,
  ) {}

  get now(): DeadLetterProgress {
    const { read, total, finished: done, withoutKey } = this;
    return { read, total, done, withoutKey };
  }

  readOne(): void {
    if (++this.read % TELL_EACH === 0) this.told(this.now);
  }

  done(): void {
    this.finished++;
    this.told(this.now);
  }

  passedOver(): void {
    this.withoutKey++;
  }
}

async function* matching(
  reader: DeadLetterReader,
  filter: LetterFilter,
  read: () => void = () => undefined,
  ended?: AbortSignal,
): AsyncGenerator<Letter> {
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    if (ended?.aborted === true) return;
    read();
    const letter = new Letter(next);
    if (!passes(filter, letter)) continue;
    yield letter;
    if (filter.id !== undefined) return; // A copy that came twice is another one.
  }
}

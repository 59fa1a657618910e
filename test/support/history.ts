import { Changes } from './changes.js';

/** A message of the test: the n-th of its key. Its payload. */
export interface Numbered {
  readonly key: string;
  readonly seq: number;
}

/** One message, as every event names it. */
export interface MessageRef extends Numbered {
  readonly id: string;
}

/** Where a delivery came from: one epoch of one shard in one process, which is one channel. */
interface Delivered extends MessageRef {
  /** `process:shard/epoch`. */
  readonly epoch: string;
  /** Number of the delivery, unique in the history. */
  readonly delivery: string;
}

interface Flown extends MessageRef {
  readonly process: string;
  readonly epoch: string;
  readonly flight: string;
  readonly redelivered: boolean;
}

/** What was observed, from outside of the library. */
export type Observation =
  /** `refuse`: the publisher was told that the message was not taken. `excuse`: its queue was deleted on purpose. */
  | (MessageRef & { readonly type: 'publish' | 'confirm' | 'refuse' | 'excuse' })
  | (Delivered & { readonly type: 'deliver'; readonly redelivered: boolean })
  /** `move`: on its way into the side queue. `park`: safe there. `deadLetter`: safe in the dead letters. */
  | (Delivered & { readonly type: 'settle' | 'park' | 'deadLetter' })
  | (Delivered & { readonly type: 'move' })
  | (Flown & { readonly type: 'start' })
  | (Flown & { readonly type: 'handled' | 'failed' | 'abandoned' })
  | { readonly type: 'lost'; readonly epoch: string }
  /** A process was killed. */
  | { readonly type: 'crash'; readonly process: string }
  /** The test breaks something. */
  | { readonly type: 'fault'; readonly name: string };

/** `at`: milliseconds of the machine's monotonic clock, which all its processes share. */
export type HistoryEvent = Observation & { readonly at: number };

/** Not `performance.now()`, whose origins differ by a millisecond between processes. */
export const nowAt = (): number => Number(process.hrtime.bigint()) / 1e6;

export const textOf = ({ key, seq }: Numbered): string => `${key}#${seq}`;

/** Records what happens, and lets a test wait for it. */
export class History extends Changes {
  readonly events: HistoryEvent[] = [];
  /** Messages that a flight handled, once or more. */
  private readonly handledOnce = new Set<string>();
  /** Messages that need no flight any more. */
  private readonly finished = new Set<string>();
  /** Messages that were confirmed and are not finished. */
  private readonly open = new Set<string>();
  private readonly handledOfKey = new Map<string, number>();
  private readonly handledOfProcess = new Map<string, number>();
  private readonly confirmedOnce = new Set<string>();
  private readonly counts = new Map<HistoryEvent['type'], number>();
  private numbers = 0;

  record(observation: Observation): void {
    this.add({ ...observation, at: nowAt() });
  }

  /** Adds what another process recorded. */
  add(event: HistoryEvent): void {
    this.events.push(event);
    this.counts.set(event.type, this.count(event.type) + 1);
    if (event.type === 'handled') this.handle(event);
    if (event.type === 'confirm') this.confirmedOnce.add(textOf(event));
    if (event.type === 'excuse' || event.type === 'deadLetter') this.finished.add(textOf(event));
    if (event.type === 'confirm' && !this.finished.has(textOf(event))) this.open.add(textOf(event));
    else if ('seq' in event && this.finished.has(textOf(event))) this.open.delete(textOf(event));
    this.changed();
  }

  private handle(message: Numbered & { readonly process: string }): void {
    const text = textOf(message);
    this.handledOfProcess.set(message.process, this.handledBy(message.process) + 1);
    if (this.handledOnce.has(text)) return;
    this.handledOnce.add(text);
    this.finished.add(text);
    this.handledOfKey.set(message.key, (this.handledOfKey.get(message.key) ?? 0) + 1);
  }

  /** A name for a flight or a delivery. */
  number(process: string): string {
    return `${process}-${++this.numbers}`;
  }

  count(type: HistoryEvent['type']): number {
    return this.counts.get(type) ?? 0;
  }

  get handled(): number {
    return this.handledOnce.size;
  }

  get confirmed(): number {
    return this.confirmedOnce.size;
  }

  /** How many flights of a process succeeded. */
  handledBy(process: string): number {
    return this.handledOfProcess.get(process) ?? 0;
  }

  /** How many different messages of some keys were handled. */
  handledWhere(matches: (key: string) => boolean): number {
    let count = 0;
    for (const [key, handled] of this.handledOfKey) if (matches(key)) count += handled;
    return count;
  }

  /** @param text as {@link textOf} makes it */
  wasHandled(text: string): boolean {
    return this.handledOnce.has(text);
  }

  /** Waits until so many different messages were handled. */
  untilHandled(count: number, milliseconds = 30_000): Promise<void> {
    return this.until(
      `${count} messages were handled`,
      () => this.handled >= count,
      milliseconds,
      () => `(${this.handled} were, ${this.confirmed} were confirmed)`,
    );
  }

  /** Waits until whatever was confirmed is handled, dead-lettered, or excused. */
  untilNothingOpen(milliseconds = 30_000): Promise<void> {
    const some = (): string => `(${this.open.size} were open, such as ${[...this.open].slice(0, 3).join(', ')})`;
    return this.until('all that was confirmed was handled', () => this.open.size === 0, milliseconds, some);
  }
}

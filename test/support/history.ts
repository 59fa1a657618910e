import {
  checkHistory,
  EVERYBODY,
  Recorder,
  type FaultName,
  type HistoryEvent,
  type Limits,
  type Verdict,
} from '@mississippi/history';
import { Changes } from './changes.js';

/** Everything that the processes of one test recorded, and how far they are. */
export class History extends Changes {
  readonly events: HistoryEvent[] = [];
  /** What whoever publishes sees, and what the test itself does. */
  readonly publisher = this.recorder('publisher');
  readonly test = this.recorder('test');
  /** Ids of messages that an attempt handled, once or more. */
  private readonly handledOnce = new Set<string>();
  /** Of those that need no attempt any more; of those that were confirmed and do. */
  private readonly finished = new Set<string>();
  private readonly open = new Set<string>();
  private readonly confirmedOnce = new Set<string>();
  private readonly handledOfKey = new Map<string, number>();
  private readonly handledOfProcess = new Map<string, number>();
  private readonly counts = new Map<string, number>();

  /** For one process. */
  recorder(process: string): Recorder {
    return new Recorder(process, (event) => this.add(event));
  }

  /** Adds what another process recorded. */
  add(event: HistoryEvent): void {
    this.events.push(event);
    this.increase(this.counts, event.type);
    if (event.type === 'confirmed') this.confirm(event.id);
    if (event.type === 'excused' || event.type === 'deadLettered') this.finish(event.id);
    if (event.type === 'ended' && event.callback === 'handleMessage') {
      this.increase(this.counts, event.outcome === 'ok' ? 'handled' : 'failed');
      if (event.outcome === 'ok') this.handle(event);
    }
    if (event.type === 'started' && event.callback === 'handleMessage') this.increase(this.counts, 'attempted');
    this.changed();
  }

  /** The test breaks something of everybody's: whoever publishes sends again what is not confirmed. */
  fault(fault: FaultName): void {
    this.test.record({ type: 'fault', fault, target: EVERYBODY });
    this.publisher.record({ type: 'interrupted' });
  }

  /** It mends it again. */
  healed(fault: FaultName): void {
    this.test.record({ type: 'healed', fault, target: EVERYBODY });
    this.publisher.record({ type: 'interrupted' });
  }

  check(limits: Limits = {}): Verdict {
    return checkHistory(this.events, limits);
  }

  /** `handled`, `failed`, `attempted`: attempts. */
  count(type: HistoryEvent['type'] | 'handled' | 'failed' | 'attempted'): number {
    return this.counts.get(type) ?? 0;
  }

  get handled(): number {
    return this.handledOnce.size;
  }

  get confirmed(): number {
    return this.confirmedOnce.size;
  }

  /** Whether something that was confirmed is neither handled, dead-lettered nor excused. */
  get isOpen(): boolean {
    return this.open.size > 0;
  }

  /** Whether a message is handled, dead-lettered or excused. */
  isFinished(id: string): boolean {
    return this.finished.has(id);
  }

  /** How many attempts of a process succeeded. */
  handledBy(process: string): number {
    return this.handledOfProcess.get(process) ?? 0;
  }

  /** How many different messages of some keys were handled. */
  handledWhere(matches: (key: string) => boolean): number {
    let count = 0;
    for (const [key, handled] of this.handledOfKey) if (matches(key)) count += handled;
    return count;
  }

  /** @param id of a message: `key#seq` */
  wasHandled(id: string): boolean {
    return this.handledOnce.has(id);
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

  private confirm(id: string): void {
    this.confirmedOnce.add(id);
    if (!this.finished.has(id)) this.open.add(id);
  }

  private finish(id: string): void {
    this.finished.add(id);
    this.open.delete(id);
  }

  private handle({ id, key, process }: { id: string; key: string; process: string }): void {
    this.increase(this.handledOfProcess, process);
    this.finish(id);
    if (this.handledOnce.has(id)) return;
    this.handledOnce.add(id);
    this.increase(this.handledOfKey, key);
  }

  private increase(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

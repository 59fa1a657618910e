import {
  Checker,
  HistoryTail,
  type Delivered,
  type HistoryEvent,
  type Limits,
  type Promised,
} from '@mississippi/history';
import { Service } from './service.js';
import { Succession } from './store/succession.js';

/** What the run knows of its processes while they write: enough to show it and to see that nothing is left. */
export class LiveView {
  readonly service = new Service();
  readonly succession = new Succession();
  /** How often a planted fault struck. */
  strikes = 0;
  /** Processes that ended by themselves. */
  readonly crashed: string[] = [];
  /** How many messages were published to each key. */
  readonly published = new Map<string, number>();
  /** Messages that are confirmed and not done. */
  readonly pending = new Set<string>();
  /** Keys of which something was set aside, with how much of it is still there as far as the events tell. */
  readonly aside = new Map<string, number>();
  /** What was read out of side queues and is not settled. */
  private readonly fromSide = new Set<string>();
  /** How many messages of each key are confirmed. */
  private readonly traffic = new Map<string, number>();
  private readonly confirmedOnce = new Set<string>();
  private readonly doneOnce = new Set<string>();
  private readonly checker: Checker | undefined;
  private readonly tail: HistoryTail;

  /** @param promises that are watched */
  constructor(
    folder: string,
    private readonly promises: readonly Promised[] = [],
    limits: Limits = {},
  ) {
    this.tail = new HistoryTail(folder);
    this.checker = promises.length === 0 ? undefined : new Checker(limits);
  }

  /** Takes in what was written since. */
  refresh(): void {
    const events = this.tail.read().sort((a, b) => a.mono - b.mono);
    for (const event of events) this.see(event);
  }

  get confirmed(): number {
    return this.confirmedOnce.size;
  }

  get done(): number {
    return this.doneOnce.size;
  }

  /** Whether it looks as if one were broken: events of several processes may have been read in another order. */
  get seemsBroken(): boolean {
    return this.checker?.violations.some(({ promise }) => this.promises.includes(promise)) === true;
  }

  /** The keys to which most was published first. */
  busiest(): string[] {
    return [...this.traffic].sort(([, a], [, b]) => b - a).map(([key]) => key);
  }

  close(): void {
    this.tail.close();
  }

  private see(event: HistoryEvent): void {
    this.succession.see(event);
    if (event.type === 'struck') this.strikes++;
    if (event.type === 'exited' && event.how === 'crashed') this.crashed.push(event.target);
    if (event.type === 'published') {
      this.published.set(event.key, Math.max(this.published.get(event.key) ?? 0, event.seq + 1));
    }
    this.service.see(event);
    this.checker?.see(event);
    if (event.type === 'confirmed') {
      this.confirmedOnce.add(event.id);
      this.traffic.set(event.key, (this.traffic.get(event.key) ?? 0) + 1);
      if (!this.doneOnce.has(event.id)) this.pending.add(event.id);
    } else if (event.type === 'deadLettered' || isHandled(event)) {
      this.doneOnce.add(event.id);
      this.pending.delete(event.id);
    }
    if ('delivery' in event) this.seeAside(event);
  }

  private seeAside(event: HistoryEvent & Delivered): void {
    const { type, process, key, delivery } = event;
    const name = `${process} ${delivery}`;
    const count = this.aside.get(key) ?? 0;
    if (type === 'parked') this.aside.set(key, count + 1);
    else if (type === 'delivered' && event.fromSide) this.fromSide.add(name);
    else if ((type === 'settled' || type === 'deadLettered') && this.fromSide.delete(name)) {
      this.aside.set(key, Math.max(0, count - 1));
    }
  }
}

function isHandled(event: HistoryEvent): event is HistoryEvent & { readonly type: 'ended' } {
  return event.type === 'ended' && event.callback === 'handleMessage' && event.outcome === 'ok';
}

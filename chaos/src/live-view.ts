import { Checker, HistoryTail, type HistoryEvent, type Promised } from '@mississippi/history';
import { Service } from './service.js';

/** What the run knows of its processes while they write: enough to show it and to see that nothing is left. */
export class LiveView {
  readonly service = new Service();
  /** Messages that are confirmed and not done. */
  readonly pending = new Set<string>();
  /** Keys of which something was set aside. */
  readonly aside = new Set<string>();
  private readonly confirmedOnce = new Set<string>();
  private readonly doneOnce = new Set<string>();
  private readonly checker: Checker | undefined;
  private readonly tail: HistoryTail;

  /** @param promises that are watched */
  constructor(
    folder: string,
    private readonly promises: readonly Promised[] = [],
  ) {
    this.tail = new HistoryTail(folder);
    this.checker = promises.length === 0 ? undefined : new Checker();
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

  close(): void {
    this.tail.close();
  }

  private see(event: HistoryEvent): void {
    this.service.see(event);
    this.checker?.see(event);
    if (event.type === 'confirmed') {
      this.confirmedOnce.add(event.id);
      if (!this.doneOnce.has(event.id)) this.pending.add(event.id);
    } else if (event.type === 'deadLettered' || isHandled(event)) {
      this.doneOnce.add(event.id);
      this.pending.delete(event.id);
    } else if (event.type === 'parked') {
      this.aside.add(event.key);
    }
  }
}

function isHandled(event: HistoryEvent): event is HistoryEvent & { readonly type: 'ended' } {
  return event.type === 'ended' && event.callback === 'handleMessage' && event.outcome === 'ok';
}

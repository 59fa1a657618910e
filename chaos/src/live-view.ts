import type { ChaosEvent } from './events.js';
import { HistoryTail } from './history-files.js';
import { Ownership } from './ownership.js';

/** What the run knows of its processes while they write: enough to show it and to see that nothing is left. */
export class LiveView {
  readonly ownership = new Ownership();
  /** Messages that are confirmed and not done. */
  readonly pending = new Set<string>();
  /** Keys of which something was set aside. */
  readonly aside = new Set<string>();
  private readonly confirmedOnce = new Set<string>();
  private readonly doneOnce = new Set<string>();
  private readonly tail: HistoryTail;

  constructor(folder: string) {
    this.tail = new HistoryTail(folder);
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

  close(): void {
    this.tail.close();
  }

  private see(event: ChaosEvent): void {
    this.ownership.see(event);
    if (event.type === 'confirm') {
      this.confirmedOnce.add(event.id);
      if (!this.doneOnce.has(event.id)) this.pending.add(event.id);
    } else if (event.type === 'deadLetter' || (event.type === 'end' && event.outcome === 'handled')) {
      this.doneOnce.add(event.id);
      this.pending.delete(event.id);
    } else if (event.type === 'move') {
      this.aside.add(event.key);
    }
  }
}

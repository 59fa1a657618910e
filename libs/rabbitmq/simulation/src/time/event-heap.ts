export interface Event {
  readonly at: number;
  /** Of those of one moment the lower comes first. */
  readonly order: number;
  /** `undefined` when it was cancelled. */
  callback: (() => void) | undefined;
}

/** Events in the order of their time: a binary heap, since a thousand processes have thousands under way. */
export class EventHeap {
  private readonly events: Event[] = [];

  push(event: Event): void {
    const { events } = this;
    let at = events.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, events[parent]!)) break;
      events[at] = events[parent]!;
      at = parent;
    }
    events[at] = event;
  }

  /** The next one up to a moment, cancelled ones left out; `undefined` where there is none. */
  takeUntil(moment: number): Event | undefined {
    for (;;) {
      const [first] = this.events;
      if (first === undefined || first.at > moment) return undefined;
      this.removeFirst();
      if (first.callback !== undefined) return first;
    }
  }

  private removeFirst(): void {
    const { events } = this;
    const last = events.pop()!;
    if (events.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++;
      if (!isBefore(events[child]!, last)) break;
      events[at] = events[child]!;
      at = child;
    }
    events[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

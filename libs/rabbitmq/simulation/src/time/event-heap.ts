import { Heap } from '../../../src/coordination/heap.js';

export interface Event {
  readonly at: number;
  /** Of those of one moment the lower comes first. */
  readonly order: number;
  /** `undefined` when it was cancelled. */
  callback: (() => void) | undefined;
}

/** Events in the order of their time. */
export class EventHeap {
  private readonly events = new Heap<Event>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  push(event: Event): void {
    this.events.push(event);
  }

  /** The next one up to a moment, cancelled ones left out; `undefined` where there is none. */
  takeUntil(moment: number): Event | undefined {
    for (let { first } = this.events; first !== undefined && first.at <= moment; first = this.events.first) {
      this.events.take();
      if (first.callback !== undefined) return first;
    }
    return undefined;
  }
}

import type { Clock, Timer } from '../../clock/clock.interface.js';

export interface DeadlineItem {
  earlier: DeadlineItem | undefined;
  later: DeadlineItem | undefined;
  /** On the clock of the list; `undefined` while in no list. */
  deadline: number | undefined;
}

/**
 * Deadlines that all lie the same delay after their start, so that the order of adding is the order of expiry: one
 * timer serves them all, and adding and removing cost nothing but two links.
 */
export class DeadlineList<T extends DeadlineItem> {
  private first: T | undefined;
  private last: T | undefined;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    /** Milliseconds; `Infinity` keeps the order and never expires. */
    private readonly delay: number,
    private readonly expired: (item: T) => void,
  ) {}

  /** The item that expires first. */
  peek(): T | undefined {
    return this.first;
  }

  /** In the order of expiry. None may be removed meanwhile. */
  *items(): Generator<T> {
    for (let item = this.first; item !== undefined; item = item.later as T | undefined) yield item;
  }

  /** @param from the beginning of the delay */
  add(item: T, from = this.clock.now()): void {
    item.deadline = from + this.delay;
    item.earlier = this.last;
    if (this.last === undefined) this.first = item;
    else this.last.later = item;
    this.last = item;
    this.arm();
  }

  remove(item: T): void {
    if (item.deadline === undefined) return;
    item.deadline = undefined;
    if (item.earlier === undefined) this.first = item.later as T | undefined;
    else item.earlier.later = item.later;
    if (item.later === undefined) this.last = item.earlier as T | undefined;
    else item.later.earlier = item.earlier;
    item.earlier = undefined;
    item.later = undefined;
  }

  /** Forgets the timer; for the end of the engine. */
  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  // A timer whose item was removed is left to fire and arm itself anew: cancelling at each removal would cost a timer
  // per attempt.
  private arm(): void {
    if (this.timer !== undefined || this.first === undefined || this.delay === Infinity) return;
    const delay = Math.max(1, this.first.deadline! - this.clock.now());
    const fire = (): void => {
      this.timer = undefined;
      const now = this.clock.now();
      while (this.first !== undefined && this.first.deadline! <= now) {
        const item = this.first;
        this.remove(item);
        this.expired(item);
      }
      this.arm();
    };
    this.timer = this.clock.after(delay, fire, true);
  }
}

import { PublishTimeoutError } from '@mississippi/core';
import type { Clock, Timer } from '@mississippi/core/transport';
import type { Outbox } from './outbox.js';

/** Ends what was not confirmed in time. One timer serves all: each message would pay for its own, and hardly one fires. */
export class PublishDeadlines {
  private timer: Timer | undefined;
  /** When it fires. */
  private firesAt = Infinity;

  constructor(
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** A message has come whose caller waits until then. */
  watch(deadline: number): void {
    if (deadline < this.firesAt) this.fireAt(deadline);
  }

  stop(): void {
    this.timer?.cancel();
  }

  private fireAt(deadline: number): void {
    this.timer?.cancel();
    this.firesAt = deadline;
    this.timer = this.clock.after(deadline - this.clock.now(), () => this.expire());
  }

  /** Ends what is due, and sets the timer for what comes next. */
  private expire(): void {
    this.firesAt = Infinity;
    const now = this.clock.now();
    let next = Infinity;
    for (const outstanding of this.outbox) {
      if (!outstanding.open) continue;
      if (outstanding.deadline > now) next = Math.min(next, outstanding.deadline);
      else outstanding.expire(new PublishTimeoutError(outstanding.timeout, outstanding.sent));
    }
    this.outbox.forgetGone();
    this.watch(next);
  }
}

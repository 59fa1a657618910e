import type { Changes, CommittedAt } from './commit-item.js';
import type { DurableEpoch } from './durable-epoch.js';
import type { Effect } from './key-commits.js';

/** A callback that no message caused, until its commit. */
export class OutboxEffect implements Effect {
  constructor(
    private readonly durable: DurableEpoch,
    private readonly changes: Changes,
    private readonly then: Effect,
  ) {}

  committed(at: CommittedAt): void {
    this.durable.outbox.committed(at, this.changes.outbox);
    this.then.committed(at);
  }

  abandoned(): void {
    this.then.abandoned();
  }

  undone(error: Error): void {
    this.then.undone(error);
  }
}

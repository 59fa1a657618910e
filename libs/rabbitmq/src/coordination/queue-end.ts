import type { Clock } from '@mississippi/core/transport';
import type { CoordinatorBroker } from './ports.js';

/** How soon a mark that did not come back is written again. Milliseconds. */
const AGAIN = 1_000;

/**
 * Whether all that was in the coordinator's queue has come. No broker tells, so a mark is written behind it, which comes back
 * when it is its turn.
 */
export class QueueEnd {
  private reached = false;
  private writtenAt = -Infinity;

  constructor(
    /** Of the coordinator: others write marks too. */
    private readonly id: string,
    private readonly broker: Pick<CoordinatorBroker, 'mark'>,
    private readonly clock: Clock,
  ) {}

  get isReached(): boolean {
    return this.reached;
  }

  /** Writes the mark, where it is not under way. Not before something has come: others may have the queue until then. */
  look(): void {
    const now = this.clock.now();
    if (this.reached || now - this.writtenAt < AGAIN) return;
    this.writtenAt = now;
    // While it cannot be written nothing can be ordered either.
    this.broker.mark(this.id).catch(() => undefined);
  }

  /** A mark has come. Returns whether it is the one. */
  came(id: string): boolean {
    if (id !== this.id) return false;
    this.reached = true;
    return true;
  }
}

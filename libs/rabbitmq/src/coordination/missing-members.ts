import type { Clock } from '@mississippi/core/transport';
import type { CoordinatorBroker } from './ports.js';

/** For how long free shards are kept for processes that have not reported yet: they have just started. Milliseconds. */
const SOON = 1_000;
/**
 * For how long nothing is handed over because of them: where the coordinator's queue was deleted with all reports, they report
 * when that is due again, and have their share already. Milliseconds.
 */
const AT_LENGTH = 30_000;

/** Processes that the broker counts and that have not reported yet. */
export class MissingMembers {
  private count = 0;
  private since = 0;

  constructor(
    private readonly broker: Pick<CoordinatorBroker, 'members'>,
    private readonly clock: Clock,
  ) {}

  /** @param known how many have reported */
  async look(known: () => number): Promise<void> {
    const counted = (await this.broker.members()) ?? 0;
    const count = Math.max(0, counted - known());
    if (this.count === 0) this.since = this.clock.now();
    this.count = count;
  }

  /** How many are about to report. */
  get expected(): number {
    return this.clock.now() - this.since < SOON ? this.count : 0;
  }

  /** Whether any may own shards of which the others do not know: who seems to have too much may have his share. */
  get mayOwn(): boolean {
    return this.count > 0 && this.clock.now() - this.since < AT_LENGTH;
  }
}

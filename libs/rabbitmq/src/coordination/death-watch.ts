import type { Clock } from '@mississippi/core/transport';
import type { CoordinatorBroker } from './ports.js';

/** How soon to look again who of the members lives while fewer are counted than are known. Milliseconds. */
const SOONEST = 50;
const LATEST = 10_000;
/** How many are looked at together. */
const PARALLEL = 16;

/**
 * Finds out which members have died. The broker counts those that consume, which costs one question; only while fewer are
 * counted than are known each is looked at, at once and then less and less often.
 */
export class DeathWatch {
  private looking = false;
  private lookAt = -Infinity;
  private pause = SOONEST;

  constructor(
    private readonly broker: Pick<CoordinatorBroker, 'members' | 'isAlive'>,
    private readonly clock: Clock,
    private readonly died: (id: string) => void,
  ) {}

  /**
   * @param known how many are known that should be counted
   * @param addresses of all that are known
   */
  async look(known: number, addresses: readonly [id: string, address: string][]): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const counted = await this.broker.members();
      if (counted !== undefined && counted >= known) this.pause = SOONEST;
      else if (this.clock.now() >= this.lookAt) await this.lookAtAll(addresses);
    } finally {
      this.looking = false;
    }
  }

  private async lookAtAll(addresses: readonly [id: string, address: string][]): Promise<void> {
    const left = addresses.values();
    const work = async (): Promise<void> => {
      for (const [id, address] of left) if (!(await this.broker.isAlive(address))) this.died(id);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    this.lookAt = this.clock.now() + this.pause;
    this.pause = Math.min(LATEST, this.pause * 2);
  }
}

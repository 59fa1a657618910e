import type { Clock } from '@mississippi/core/transport';
import type { CoordinatorBroker } from './ports.js';

/** How soon to look again who of the members lives while fewer are counted than are known. Milliseconds. */
const SOONEST = 50;
const LATEST = 10_000;
/** How many are looked at together. */
const PARALLEL = 16;

/** A member, as it can be looked at. */
export interface Watched {
  readonly id: string;
  readonly address: string;
  /** A shard that it owns, as it said; `undefined` where there is none. */
  readonly shard: number | undefined;
}

export interface DeathWatchHooks {
  readonly died: (id: string) => void;
  /** It can be reached, but does not consume what it says: of its connections one is gone, and it does not know or cannot tell. */
  readonly lost: (id: string) => void;
}

/**
 * Finds out which members have died. The broker counts those that consume, which costs one question; only while fewer are
 * counted than are known each is looked at, at once and then less and less often.
 */
export class DeathWatch {
  private looking = false;
  private lookNext = -Infinity;
  private pause = SOONEST;

  constructor(
    private readonly broker: Pick<CoordinatorBroker, 'members' | 'isAlive' | 'consumers'>,
    private readonly clock: Clock,
    private readonly hooks: DeathWatchHooks,
  ) {}

  /**
   * @param known how many are known that should be counted
   * @param all that are known
   */
  async look(known: number, all: readonly Watched[]): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const counted = await this.broker.members();
      if (counted !== undefined && counted >= known) this.pause = SOONEST;
      else if (this.clock.now() >= this.lookNext) await this.lookAtAll(all);
    } finally {
      this.looking = false;
    }
  }

  private async lookAtAll(all: readonly Watched[]): Promise<void> {
    const left = all.values();
    const work = async (): Promise<void> => {
      for (const member of left) await this.lookAt(member);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    this.lookNext = this.clock.now() + this.pause;
    this.pause = Math.min(LATEST, this.pause * 2);
  }

  private async lookAt({ id, address, shard }: Watched): Promise<void> {
    const { broker, hooks } = this;
    if (!(await broker.isAlive(address))) hooks.died(id);
    else if (shard !== undefined && (await broker.consumers(shard)) === 0) hooks.lost(id);
  }
}

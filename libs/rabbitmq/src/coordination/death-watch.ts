import type { Clock } from '@mississippi/core/transport';
import type { CoordinatorBroker } from './ports.js';
import { refreshOf } from './reporting.js';

/** How soon to look again who of the members lives while fewer are counted than are known. Milliseconds. */
const SOONEST = 50;
const LATEST = 10_000;
/** How many are looked at together. */
const PARALLEL = 16;
/** For how long all are looked at again and again after one was missed: of its two connections one may go later. Milliseconds. */
const ALERT = 1_000;
/** How often a member may have had something to report, and said nothing, until it is looked at. */
const SILENCES = 3;

/** A member, as it can be looked at. */
export interface Watched {
  readonly id: string;
  readonly address: string;
  /** A shard that it owns, as it said; `undefined` where there is none. */
  readonly shard: number | undefined;
  /** When it reported last. */
  readonly reportedAt: number;
}

export interface DeathWatchHooks {
  readonly died: (id: string) => void;
  /** It can be reached, but does not consume what it says: of its connections one is gone, and it does not know or cannot tell. */
  readonly lost: (id: string) => void;
}

/**
 * Finds out which members have died. The broker counts those that consume, which costs one question; while fewer are counted than
 * are known each is looked at, at once and then less and less often. Others may be counted too, a process of an earlier release, or what
 * the broker still has of a connection that was cut: so each is looked at as well when one is missed of those that were counted, and
 * one by one those that say nothing.
 */
export class DeathWatch {
  private looking = false;
  private lookNext = -Infinity;
  private pause = SOONEST;
  private last: { readonly counted: number; readonly known: number } | undefined;
  private alertUntil = -Infinity;
  private silentNext = -Infinity;

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
      if (!this.isOneMissed(counted, known)) this.pause = SOONEST;
      else if (this.clock.now() >= this.lookNext) await this.lookAtAll(all);
      await this.lookAtSilent(all);
    } finally {
      this.looking = false;
    }
  }

  private isOneMissed(counted: number | undefined, known: number): boolean {
    if (counted === undefined) return true;
    const { last, clock } = this;
    this.last = { counted, known };
    // Who has said that he leaves is known no more.
    if (last !== undefined && last.counted - counted > Math.max(0, last.known - known))
      this.alertUntil = clock.now() + ALERT;
    return counted < known || clock.now() < this.alertUntil;
  }

  private async lookAtSilent(all: readonly Watched[]): Promise<void> {
    const now = this.clock.now();
    if (now < this.silentNext) return;
    const refresh = refreshOf(all.length);
    this.silentNext = now + refresh;
    await this.lookAtEach(all.filter(({ reportedAt }) => now - reportedAt >= SILENCES * refresh));
  }

  private async lookAtEach(members: readonly Watched[]): Promise<void> {
    const left = members.values();
    const work = async (): Promise<void> => {
      for (const member of left) await this.lookAt(member);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  private async lookAtAll(all: readonly Watched[]): Promise<void> {
    await this.lookAtEach(all);
    this.lookNext = this.clock.now() + this.pause;
    this.pause = Math.min(LATEST, this.pause * 2);
  }

  private async lookAt({ id, address, shard }: Watched): Promise<void> {
    const { broker, hooks } = this;
    if (!(await broker.isAlive(address))) hooks.died(id);
    else if (shard !== undefined && (await broker.consumers(shard)) === 0) hooks.lost(id);
  }
}

import type { Clock } from '@mississippi/core/transport';
import type { LazyChannel } from '../connection/lazy-channel.js';
import type { ShardFailed, Topology } from '../topology/topology.js';
import type { RestingShards } from './resting-shards.js';

/** A shard that is free for so long is taken by anybody. Milliseconds. */
const FORSAKEN = 1_500;

/** The shards that nobody owns, as this process sees them. */
export class FreeShards {
  /** Those that others consumed at the last look. */
  taken: readonly number[] = [];
  /** When each was first seen without an owner. */
  private readonly freeSince = new Map<number, number>();

  constructor(
    private readonly topology: Topology,
    private readonly totalCount: number,
    private readonly resting: RestingShards,
    private readonly clock: Clock,
  ) {}

  /**
   * Looks for them, in random order, but not for ours and those at rest. Queues that were deleted are declared again.
   * @param failed told of each that could not be looked at; the others are
   */
  async look(survey: LazyChannel, isOurs: (shard: number) => boolean, failed: ShardFailed): Promise<number[]> {
    const free: number[] = [];
    const taken: number[] = [];
    for (let shard = 0; shard < this.totalCount; shard++) {
      if (isOurs(shard) || this.resting.has(shard)) continue;
      const channel = await survey.get(); // After a failure it is another.
      try {
        const { consumerCount } = await this.topology.declareShard(channel, shard);
        if (consumerCount === 0) free.splice(Math.floor(Math.random() * (free.length + 1)), 0, shard);
        else taken.push(shard);
      } catch (error) {
        failed(shard, error);
      }
    }
    this.taken = taken;
    this.note(free);
    return free;
  }

  /** Those that have been free for so long that nobody else seems to take them. */
  forsaken(free: readonly number[]): number[] {
    return this.freeFor(FORSAKEN, free);
  }

  /** Those that have been free for some milliseconds. */
  freeFor(milliseconds: number, free: readonly number[]): number[] {
    const now = this.clock.now();
    return free.filter((shard) => now - this.freeSince.get(shard)! >= milliseconds);
  }

  private note(free: readonly number[]): void {
    const now = this.clock.now();
    for (const shard of this.freeSince.keys()) if (!free.includes(shard)) this.freeSince.delete(shard);
    for (const shard of free) if (!this.freeSince.has(shard)) this.freeSince.set(shard, now);
  }
}

import type { Clock } from '@mississippi/core/transport';
import type { Channel } from 'amqplib';
import type { Topology } from '../topology/topology.js';

/** A shard that is free for so long is taken by anybody. Milliseconds. */
const FORSAKEN = 1_500;

/** How long a shard that could not be opened is left alone: longer than others wait before they take it. Milliseconds. */
const REST = 2_000;

/** The shards that nobody owns, as this process sees them. */
export class FreeShards {
  /** When each was first seen without an owner. */
  private readonly freeSince = new Map<number, number>();
  /** Until when each is left alone. */
  private readonly restsUntil = new Map<number, number>();

  constructor(
    private readonly topology: Topology,
    private readonly totalCount: number,
    private readonly clock: Clock,
  ) {}

  /** Looks for them, in random order, but not for ours and those at rest. Queues that were deleted are declared again. */
  async look(channel: Channel, isOurs: (shard: number) => boolean): Promise<number[]> {
    const free: number[] = [];
    for (let shard = 0; shard < this.totalCount; shard++) {
      if (isOurs(shard) || this.rests(shard)) continue;
      const { consumerCount } = await this.topology.declareShard(channel, shard);
      if (consumerCount === 0) free.splice(Math.floor(Math.random() * (free.length + 1)), 0, shard);
    }
    this.note(free);
    return free;
  }

  /** Those that have been free for so long that nobody else seems to take them. */
  forsaken(free: readonly number[]): number[] {
    const now = this.clock.now();
    return free.filter((shard) => now - this.freeSince.get(shard)! >= FORSAKEN);
  }

  /** Leaves a shard alone for a while, because it could not be opened here. */
  rest(shard: number): void {
    this.restsUntil.set(shard, this.clock.now() + REST);
  }

  /** How many rest at present. */
  get resting(): number {
    return [...this.restsUntil.keys()].filter((shard) => this.rests(shard)).length;
  }

  private rests(shard: number): boolean {
    return (this.restsUntil.get(shard) ?? -Infinity) > this.clock.now();
  }

  private note(free: readonly number[]): void {
    const now = this.clock.now();
    for (const shard of this.freeSince.keys()) if (!free.includes(shard)) this.freeSince.delete(shard);
    for (const shard of free) if (!this.freeSince.has(shard)) this.freeSince.set(shard, now);
  }
}

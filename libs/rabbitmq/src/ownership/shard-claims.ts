import type { ShardConsumer, Timer } from '@mississippi/core/transport';
import { reasonOf } from '../errors/reason.js';
import type { SignalResponder } from '../signals/signal-responder.js';
import { FreeShards } from './free-shards.js';
import { Membership } from './membership.js';
import { OwnedShards } from './owned-shards.js';
import type { ClaimerParts } from './shard-claimer.js';
import { planShare } from './share.js';

/** How many claims are under way at once. */
const PARALLEL = 32;

/** How much more often to look while shares are uneven. */
const HASTE = 5;

/** How soon to look again after a shard has become free. Milliseconds. */
const SOON = 10;

/** A shard has a channel, and another one while its side queue is read. */
const CHANNELS_PER_SHARD = 2;
/** For what belongs to no shard. */
const OTHER_CHANNELS = 8;

/** Claims this process's share of the shards and keeps it: looks now and then what is free and who takes part. */
export class ShardClaims {
  private readonly owned: OwnedShards;
  private readonly free: FreeShards;
  private readonly membership: Membership;
  private timer: Timer | undefined;
  private ticking = false;
  private saidMost = false;
  private stopped = false;

  constructor(
    private readonly parts: ClaimerParts,
    signals: SignalResponder,
  ) {
    const { connection, topology, settings, clock } = parts;
    this.owned = new OwnedShards(parts, signals, {
      freed: () => this.tickIn(SOON),
      notOpened: (shard) => this.free.rest(shard),
    });
    this.free = new FreeShards(topology, settings.totalCount, clock);
    this.membership = new Membership(topology);
    connection.on('down', () => this.membership.forget());
    connection.on('up', () => this.tickIn(0));
  }

  /** Indexes of the shards that this process owns, in order. */
  get indexes(): number[] {
    return this.owned.indexes;
  }

  /** Joins and claims its share. Resolves when each shard of it was tried once. */
  async start(consumer: ShardConsumer): Promise<void> {
    if (this.stopped) return;
    this.owned.consumer = consumer;
    await this.tick();
    await this.owned.opened();
  }

  /** Leaves: claims nothing any more, and counts no more for the others' share. */
  stop(): void {
    this.stopped = true;
    this.owned.consumer = undefined;
    this.timer?.cancel();
    this.membership.leave().catch(() => undefined); // Without its channel it has left already.
  }

  /** Ends for good; sessions that are still open are lost. */
  close(): void {
    this.stop();
    this.owned.lose(new Error('the transport was closed'));
  }

  private tickIn(delay: number): void {
    if (this.owned.consumer === undefined) return;
    this.timer?.cancel();
    this.timer = this.parts.clock.after(delay, () => void this.tick());
  }

  private async tick(): Promise<void> {
    if (this.ticking || this.owned.consumer === undefined) return;
    this.ticking = true;
    let uneven = true;
    try {
      uneven = await this.moveTowardsShare();
    } catch (error) {
      const { connection, logger } = this.parts;
      // Nothing is claimed while the broker is away; the next tick comes.
      if (connection.current !== undefined) logger.warn(`Looking for free shards failed: ${reasonOf(error)}`);
    } finally {
      this.ticking = false;
      const { claimInterval } = this.parts.settings;
      this.tickIn(uneven ? claimInterval / HASTE : claimInterval);
    }
  }

  /** Claims and hands over what the share asks for. Returns whether the shares are still uneven. */
  private async moveTowardsShare(): Promise<boolean> {
    const { survey, settings } = this.parts;
    const { owned, free, membership } = this;
    const channel = await survey.get();
    await membership.join(channel);
    const { members, hungry } = await membership.count(channel);
    const found = await free.look(channel, (shard) => owned.has(shard));
    const plan = planShare({
      total: settings.totalCount,
      members,
      hungry,
      // Those that could not be opened here count as ours: nobody else is to hand over others for them.
      owned: owned.staying + free.resting,
      free: found,
      forsaken: free.forsaken(found),
      limit: Math.min(settings.maxShards, this.mostShards()),
    });
    owned.shed(plan.shed);
    await this.claimAll(plan.claim);
    await membership.setHungry(plan.hungry);
    return plan.hungry || hungry > 0;
  }

  /** How many shards the channels of the connection are enough for. It is said once when that is less than is wanted. */
  private mostShards(): number {
    const { connection, settings, logger } = this.parts;
    const { channelMax } = connection.limits ?? { channelMax: Infinity };
    const most = Math.floor((channelMax - OTHER_CHANNELS) / CHANNELS_PER_SHARD);
    if (!this.saidMost && most < Math.min(settings.maxShards, settings.totalCount)) {
      this.saidMost = true;
      logger.warn(
        `This process owns at most ${most} shards, because RabbitMQ allows ${channelMax} channels on a connection: raise channel_max, or start more processes.`,
      );
    }
    return most;
  }

  private async claimAll(shards: readonly number[]): Promise<void> {
    const left = shards.values();
    const work = async (): Promise<void> => {
      for (const shard of left) await this.owned.claim(shard);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }
}

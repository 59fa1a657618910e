import type { ShardConsumer, Timer } from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import { LazyChannel } from '../connection/lazy-channel.js';
import { RabbitMqAccessError, RabbitMqSetupError, SharedQueueError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import type { SignalResponder } from '../signals/signal-responder.js';
import { FreeShards } from './free-shards.js';
import { Membership } from './membership.js';
import { OwnedShards } from './owned-shards.js';
import { OpeningTrials } from './opening-trials.js';
import { RestingShards } from './resting-shards.js';
import type { ClaimerParts } from './shard-claimer.js';
import { listOf } from './list-of.js';
import { planShare } from './share.js';
import { Strangers } from './strangers.js';

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
/** How long a shard that could not be declared or claimed is left alone, the first time in a row. Milliseconds. */
const REST = 500;

/** How long one that could not be opened is: longer than others wait before they take it. Milliseconds. */
const LONG_REST = 2_000;

/** For how long a shard has no owner until that is told by a process that may take no more. Milliseconds. */
const UNSERVED = 10_000;

/** Claims this process's share of the shards and keeps it: looks now and then what is free and who takes part. */
export class ShardClaims {
  private readonly owned: OwnedShards;
  private readonly free: FreeShards;
  private readonly strangers: Strangers;
  private readonly membership: Membership;
  private readonly resting: RestingShards;
  private readonly trials: OpeningTrials;
  /** What keeps this process from starting. */
  private refusal: Error | undefined;
  private timer: Timer | undefined;
  private ticking = false;
  private saidMost = false;
  private stopped = false;

  constructor(
    private readonly parts: ClaimerParts,
    signals: SignalResponder,
    /** Shows others that this process lives: whoever claims shards can be asked. */
    private readonly present: (model: ChannelModel) => Promise<void>,
  ) {
    const { connection, topology, settings, clock } = parts;
    this.resting = new RestingShards(clock);
    this.trials = new OpeningTrials(clock);
    this.owned = new OwnedShards(parts, signals, {
      freed: () => this.tickIn(SOON),
      opened: (shard) => {
        this.resting.forget(shard);
        this.trials.succeeded();
      },
      notOpened: (shard) => {
        this.resting.add(shard, LONG_REST);
        this.trials.failed();
      },
      failed: (shard, error) => this.failed(shard, error),
    });
    this.free = new FreeShards(topology, settings.totalCount, this.resting, clock);
    this.strangers = new Strangers(topology, clock, parts.logger);
    this.membership = new Membership(topology, new LazyChannel(connection));
    connection.on('down', () => this.membership.forget());
    connection.on('up', () => this.tickIn(0));
  }

  /** Indexes of the shards that this process owns, in order. */
  get indexes(): number[] {
    return this.owned.indexes;
  }

  /**
   * Joins and claims its share. Resolves when each shard of it was tried once.
   * @throws {RabbitMqSetupError} when RabbitMQ does not make a process the only consumer of its shards
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async start(consumer: ShardConsumer): Promise<void> {
    if (this.stopped) return;
    this.owned.consumer = consumer;
    await this.tick();
    await this.owned.opened();
    const { refusal } = this;
    if (refusal === undefined) return;
    await this.close();
    throw refusal;
  }

  /** Leaves: claims nothing any more, and counts no more for the others' share. */
  stop(): void {
    this.stopped = true;
    this.owned.consumer = undefined;
    this.timer?.cancel();
    this.membership.leave().catch(() => undefined); // Without its channel it has left already.
  }

  /** Ends for good; sessions that are still open are lost. */
  async close(): Promise<void> {
    this.stop();
    await this.owned.abandon(new Error('the transport was closed'));
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
      const { connection, warnings } = this.parts;
      if (error instanceof RabbitMqAccessError || error instanceof RabbitMqSetupError) this.refusal ??= error;
      // Nothing is claimed while the broker is away; the next tick comes.
      if (connection.current !== undefined)
        warnings.warn('looking', `Looking for free shards failed: ${reasonOf(error)}`);
    } finally {
      this.ticking = false;
      const { claimInterval } = this.parts.settings;
      this.tickIn(uneven ? claimInterval / HASTE : claimInterval);
    }
  }

  /** Claims and hands over what the share asks for. Returns whether the shares are still uneven. */
  private async moveTowardsShare(): Promise<boolean> {
    const { connection, survey, settings, topology } = this.parts;
    const { owned, free, membership, resting, trials } = this;
    const channel = await survey.get();
    const model = connection.current!;
    await this.present(model);
    await topology.declareMemory(channel); // Somebody may have deleted it, and another app would start beside this one.
    await membership.join();
    const { members, hungry } = await membership.count();
    const isOurs = (shard: number): boolean => owned.has(shard);
    const found = await free.look(survey, isOurs, (shard, error) => {
      if (connection.current !== model) throw error;
      this.failed(shard, error);
    });
    // Those that could not be opened here count as ours: nobody else is to hand over others for them.
    const counted = owned.staying + resting.count;
    const plan = planShare({
      total: settings.totalCount,
      members,
      hungry,
      owned: counted,
      free: found,
      forsaken: free.forsaken(found),
      limit: Math.min(settings.maxShards, this.mostShards(), counted + Math.max(0, trials.most - owned.opening)),
    });
    owned.shed(plan.shed);
    await this.claimAll(plan.claim);
    await membership.setHungry(plan.hungry);
    this.tellUnserved(found);
    await this.strangers.look(survey, free.taken);
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

  /** A shard could not be declared or claimed. The others go on. */
  private failed(shard: number, error: unknown): void {
    this.resting.add(shard, REST);
    if (error instanceof RabbitMqAccessError || error instanceof SharedQueueError) this.refusal ??= error;
    this.parts.warnings.warnOf('claim', shard, `Shard ${shard} cannot be consumed yet: ${reasonOf(error)}`);
  }

  private tellUnserved(free: readonly number[]): void {
    const { settings, warnings } = this.parts;
    if (this.owned.staying < settings.maxShards) return;
    const unserved = this.free.freeFor(UNSERVED, free).sort((a, b) => a - b);
    if (unserved.length === 0) return;
    warnings.warn(
      'unserved',
      `Nobody consumes the shards ${listOf(unserved)}, and this process may own no more than maxShards (${settings.maxShards}): ` +
        `start more processes, or raise maxShards.`,
    );
  }

  private async claimAll(shards: readonly number[]): Promise<void> {
    const left = shards.values();
    const work = async (): Promise<void> => {
      for (const shard of left) await this.owned.claim(shard);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }
}

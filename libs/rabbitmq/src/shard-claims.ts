import type { LoggerService } from '@nestjs/common';
import type { ShardConsumer, ShardReceiver } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import type { BrokerConnection } from './broker-connection.js';
import { reasonOf } from './errors.js';
import { Membership } from './membership.js';
import type { RabbitPublisher } from './publisher.js';
import type { Settings } from './settings.js';
import type { SignalLink } from './signal-link.js';
import { planShare } from './share.js';
import { RabbitShardSession } from './shard-session.js';
import { SideReader } from './side-reader.js';
import { StallFence } from './stall-fence.js';
import { closeChannel, codeOf, type Topology } from './topology.js';

const ACCESS_REFUSED = 403;
const RESOURCE_LOCKED = 405;

/** How many claims are under way at once. */
const PARALLEL = 32;

/** A shard that is free for so long is taken by anybody. Milliseconds. */
const FORSAKEN = 1_500;

/** How much more often is looked while shares are uneven. */
const HASTE = 5;

/**
 * Claims this process's share of the shards and keeps it: each by an exclusive consumer on a channel of its own, or, for quorum queues, which do not
 * enforce that, by an exclusive lock queue. RabbitMQ decides who owns what; a shard that is lost is looked for again.
 */
export class ShardClaims {
  private readonly sessions = new Map<number, RabbitShardSession>();
  private readonly claiming = new Set<number>();
  private readonly fence: StallFence;
  private consumer: ShardConsumer | undefined;
  private survey: Channel | undefined;
  private timer: NodeJS.Timeout | undefined;
  private ticking = false;
  private readonly membership: Membership;
  /** Sessions that are being handed over. */
  private readonly leaving = new Set<RabbitShardSession>();
  private readonly freeSince = new Map<number, number>();

  constructor(
    private readonly connection: BrokerConnection,
    private readonly publisher: RabbitPublisher,
    private readonly signals: SignalLink,
    private readonly settings: Settings,
    private readonly topology: Topology,
    private readonly logger: LoggerService,
  ) {
    this.membership = new Membership(topology);
    connection.on('down', (cause) => this.connectionLost(cause));
    connection.on('up', () => this.tickSoon(0));
    this.fence = new StallFence(
      settings.heartbeat,
      () => connection.silence,
      async () => {
        await (await this.surveyChannel()).checkQueue(topology.meta);
      },
      (cause) => connection.reset(cause),
    );
  }

  get owned(): number[] {
    return [...this.sessions.keys()].sort((a, b) => a - b);
  }

  /** Joins and claims its share. Resolves when each shard of it was tried once. */
  async start(consumer: ShardConsumer): Promise<void> {
    this.consumer = consumer;
    await this.tick();
  }

  /** Leaves: claims nothing any more, and counts no more for the others' share. */
  stop(): void {
    this.consumer = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.membership.leave().catch(() => this.membership.forget()); // Without its channel it has left already.
  }

  /** Ends for good; sessions that are still open are lost. */
  close(): void {
    this.stop();
    this.fence.stop();
    for (const session of this.sessions.values()) session.lose(new Error('the transport was closed'));
  }

  private tickSoon(delay: number): void {
    if (this.consumer === undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tick(), delay);
  }

  private async tick(): Promise<void> {
    if (this.ticking || this.consumer === undefined) return;
    this.ticking = true;
    let unsettled = true;
    try {
      unsettled = await this.moveTowardsShare();
    } catch (error) {
      // Nothing is claimed while the broker is away; the next tick comes.
      if (this.connection.current !== undefined) this.logger.warn(`Looking for free shards failed: ${reasonOf(error)}`);
    } finally {
      this.ticking = false;
      const { claimInterval } = this.settings;
      this.tickSoon(unsettled ? claimInterval / HASTE : claimInterval);
    }
  }

  /** Claims and hands over what the share asks for. Returns whether the shares are still uneven. */
  private async moveTowardsShare(): Promise<boolean> {
    const channel = await this.surveyChannel();
    await this.membership.join(channel);
    const { members, hungry } = await this.membership.count(channel);
    const free = await this.freeShards(channel);
    const plan = planShare({
      total: this.settings.totalCount,
      members,
      hungry,
      owned: this.sessions.size - this.leaving.size,
      free,
      forsaken: this.forsaken(free),
      limit: this.settings.maxShards,
    });
    const claim = [...plan.claim];
    const lane = async (): Promise<void> => {
      for (let shard = claim.shift(); shard !== undefined; shard = claim.shift()) await this.claim(shard);
    };
    this.shed(plan.shed);
    await Promise.all(Array.from({ length: PARALLEL }, lane));
    await this.membership.setHungry(plan.hungry);
    return plan.hungry || hungry > 0;
  }

  /** Shards that nobody consumes at this moment, in random order. Queues that were deleted are declared again. */
  private async freeShards(channel: Channel): Promise<number[]> {
    const free: number[] = [];
    for (let shard = 0; shard < this.settings.totalCount; shard++) {
      if (this.sessions.has(shard) || this.claiming.has(shard)) continue;
      const { consumerCount } = await this.topology.declareShard(channel, shard);
      if (consumerCount === 0) free.splice(Math.floor(Math.random() * (free.length + 1)), 0, shard);
    }
    return free;
  }

  private forsaken(free: readonly number[]): number[] {
    const now = performance.now();
    for (const shard of this.freeSince.keys()) if (!free.includes(shard)) this.freeSince.delete(shard);
    for (const shard of free) if (!this.freeSince.has(shard)) this.freeSince.set(shard, now);
    return free.filter((shard) => now - this.freeSince.get(shard)! >= FORSAKEN);
  }

  /** Hands shards over in the background: handlers may take their time, and claiming must not wait for them. */
  private shed(count: number): void {
    const staying = [...this.sessions.values()].filter((session) => !this.leaving.has(session));
    for (const session of staying.slice(0, count)) {
      this.leaving.add(session);
      void this.handOver(session);
    }
  }

  /** Nothing starts, what runs settles, the channel closes, and only then somebody else can own the shard. */
  private async handOver(session: RabbitShardSession): Promise<void> {
    try {
      await session.receiver?.release();
      await session.close();
    } finally {
      this.leaving.delete(session);
    }
  }

  private async claim(shard: number): Promise<void> {
    const model = this.connection.current;
    const { consumer } = this;
    if (model === undefined || consumer === undefined || this.sessions.has(shard) || this.claiming.has(shard)) return;
    this.claiming.add(shard);
    try {
      const channel = await model.createConfirmChannel();
      channel.on('error', () => undefined); // 'close' follows, and the call that failed rejects.
      try {
        await this.take(model, channel, shard, consumer);
      } catch (error) {
        await closeChannel(channel);
        if (!isTaken(error)) throw error;
      }
    } catch (error) {
      if (this.connection.current === model) {
        this.logger.warn(`Shard ${shard} cannot be consumed yet: ${reasonOf(error)}`);
      }
    } finally {
      this.claiming.delete(shard);
    }
  }

  private async take(
    model: ChannelModel,
    channel: ConfirmChannel,
    shard: number,
    consumer: ShardConsumer,
  ): Promise<void> {
    const { topology, settings } = this;
    if (settings.quorum) {
      await channel.assertQueue(topology.lock(shard), { exclusive: true, durable: false, autoDelete: false });
    }
    const side = new SideReader(model, topology.parked(shard), shard, settings.deliveryTimeout, (cause) => {
      session.fail(cause);
    });
    const session: RabbitShardSession = new RabbitShardSession({
      shard,
      channel,
      side,
      publisher: this.publisher,
      topology,
      prefetch: settings.prefetch,
      fence: this.fence,
      freed: (ended) => this.freed(ended, model),
    });
    let open = true;
    channel.on('close', () => {
      open = false;
      session.lose(new Error(`the channel of shard ${shard} was closed`));
    });
    await channel.prefetch(settings.prefetch);
    await channel.consume(
      topology.shard(shard),
      (message) => {
        if (message === null) session.fail(new Error(`the queue '${topology.shard(shard)}' was deleted`));
        else session.arrived(message);
      },
      { exclusive: !settings.quorum },
    );
    session.parked = await this.readSideQueue(channel, side, shard);
    if (!open || this.consumer !== consumer || this.connection.current !== model) {
      await closeChannel(channel);
      return;
    }
    this.sessions.set(shard, session);
    let receiver: ShardReceiver;
    try {
      receiver = await consumer.open(session);
    } catch (error) {
      session.giveUp(error as Error);
      throw error;
    }
    if (!session.begin(receiver)) return;
    try {
      await this.signals.serve(channel, shard, receiver);
    } catch (error) {
      // The shard was claimed, and given back before the broker had answered: its channel closed with the question open.
      if (!session.givenBack) throw error;
    }
  }

  /** A former owner's reader must have gone first: what it held would not be counted. */
  private async readSideQueue(channel: Channel, side: SideReader, shard: number): ReturnType<SideReader['index']> {
    for (;;) {
      const { messageCount, consumerCount } = await this.topology.declareParked(channel, shard);
      if (consumerCount === 0) return side.index(messageCount);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async freed(session: RabbitShardSession, model: ChannelModel): Promise<void> {
    if (this.sessions.get(session.shard) === session) this.sessions.delete(session.shard);
    if (this.settings.quorum && this.connection.current === model) {
      await this.unlock(session.shard).catch(() => undefined); // The lock goes with the connection too.
    }
    this.tickSoon(10);
  }

  private async unlock(shard: number): Promise<void> {
    const channel = await this.surveyChannel();
    await channel.deleteQueue(this.topology.lock(shard));
  }

  private connectionLost(cause: Error): void {
    this.survey = undefined;
    this.membership.forget();
    for (const session of this.sessions.values()) session.lose(cause);
  }

  private async surveyChannel(): Promise<Channel> {
    if (this.survey !== undefined) return this.survey;
    const model = this.connection.current;
    if (model === undefined) throw new Error('there is no connection');
    const channel = await model.createChannel();
    channel.on('error', () => undefined); // 'close' follows.
    channel.on('close', () => {
      if (this.survey !== channel) return;
      this.survey = undefined;
      this.membership.forget();
    });
    this.survey = channel;
    return channel;
  }
}

function isTaken(error: unknown): boolean {
  return codeOf(error) === ACCESS_REFUSED || codeOf(error) === RESOURCE_LOCKED;
}

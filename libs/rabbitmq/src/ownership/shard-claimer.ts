import type { LoggerService } from '@nestjs/common';
import type { Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { limitsOf } from '../connection/client.js';
import { closeChannel, closedChannel, openConfirmChannel } from '../connection/channels.js';
import type { LazyChannel } from '../connection/lazy-channel.js';
import { pause } from '../connection/timers.js';
import { isInUse } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';
import type { RabbitPublisher } from '../publishing/rabbit-publisher.js';
import { RabbitShardSession } from '../sessions/shard-session.js';
import { SideReader } from '../sessions/side-reader.js';
import { QUORUM_CREDIT, strangerAt, STRANGER_TIMEOUT } from '../sessions/side-channel.js';
import type { StallFence } from '../sessions/stall-fence.js';
import { cancelledBy } from '../topology/disagreement.js';
import type { Topology } from '../topology/topology.js';
import { ConsumerLock } from './lock/consumer-lock.js';
import { QueueLock } from './lock/queue-lock.js';
import { RefusedClaims } from './lock/refused-claims.js';
import type { HeldLock, ShardLock } from './lock/shard-lock.js';
import type { RareWarnings } from './rare-warnings.js';

/** What claims are made with. */
export interface ClaimerParts {
  /** The connection that consumes. */
  readonly connection: BrokerConnection;
  /** Any channel of that connection. */
  readonly survey: LazyChannel;
  readonly publisher: RabbitPublisher;
  readonly fence: StallFence;
  readonly topology: Topology;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: LoggerService;
  readonly warnings: RareWarnings;
  /** The broker did not answer when a shard was given back. */
  readonly unanswered: () => void;
}

/** A shard that is this process's now. */
export interface Claim {
  readonly channel: ConfirmChannel;
  readonly session: RabbitShardSession;
}

/**
 * Claims one shard: by an exclusive consumer on a channel of its own, or, for quorum queues, which do not enforce that, by
 * a lock. RabbitMQ decides who gets it.
 */
export class ShardClaimer {
  private readonly lock: ShardLock;
  private readonly refused: RefusedClaims;

  constructor(
    private readonly parts: ClaimerParts,
    /** A session has ended, and its shard is free. */
    private readonly freed: (session: RabbitShardSession) => void,
  ) {
    this.lock = parts.settings.quorum ? new QueueLock(parts) : new ConsumerLock(parts.topology.names);
    this.refused = new RefusedClaims(parts);
  }

  /** Shards of which only one process can be the consumer, as was seen. */
  get verified(): ReadonlySet<number> {
    return this.lock.verified;
  }

  /** Somebody else has seen that only one process can be the consumer of a shard. */
  know(shard: number): void {
    this.lock.know(shard);
  }

  /** Returns the claim, or `undefined` where somebody else has the shard. */
  async claim(model: ChannelModel, shard: number): Promise<Claim | undefined> {
    const claim = await this.attempt(model, shard);
    if (claim === undefined) await this.refused.refused(shard);
    else this.refused.forget(shard);
    return claim;
  }

  private async attempt(model: ChannelModel, shard: number): Promise<Claim | undefined> {
    const lock = await this.lock.take(model, shard);
    if (lock === undefined) return undefined;
    try {
      return await this.consumeWith(lock, model, shard);
    } catch (error) {
      await lock.release();
      if (isInUse(error)) return undefined;
      throw error;
    }
  }

  private async consumeWith(lock: HeldLock, model: ChannelModel, shard: number): Promise<Claim> {
    const channel = await openConfirmChannel(model);
    try {
      return { channel, session: await this.take(lock, model, channel, shard) };
    } catch (error) {
      await closeChannel(channel);
      throw error;
    }
  }

  private async take(
    lock: HeldLock,
    model: ChannelModel,
    channel: ConfirmChannel,
    shard: number,
  ): Promise<RabbitShardSession> {
    const { topology, settings } = this.parts;
    const side = this.sideReader(model, shard, (cause) => session.fail(cause));
    const session: RabbitShardSession = this.session(lock, model, channel, shard, side);
    channel.on('close', () => session.lose(closedChannel(`shard ${shard}`, channel)));
    // A queue of signals that cannot be had is known before anything is handled: with its channel the epoch would end.
    await Promise.all([channel.prefetch(settings.prefetch), topology.declareSignals(channel, shard)]);
    await this.consume(channel, session);
    session.parked = await this.readSideQueue(channel, side, shard);
    // Not at the same time: a shard takes few channels.
    await lock.verify();
    lock.watch((cause) => session.fail(cause));
    return session;
  }

  private sideReader(model: ChannelModel, shard: number, failed: (cause: Error) => void): SideReader {
    const { topology, settings, clock, warnings } = this.parts;
    const { deliveryTimeout } = settings;
    const queue = topology.names.parked(shard);
    const consumerTag = topology.tags.parked(shard);
    const credit = settings.quorum ? QUORUM_CREDIT : Infinity;
    const crowded = (): void =>
      warnings.warnOf(
        'crowded',
        shard,
        `A key of shard ${shard} waits for its parked messages, which lie behind ${credit} of other keys in '${queue}', more than RabbitMQ gives at once: resume or drop the keys that are parked before it.`,
      );
    return new SideReader({ model, queue, consumerTag, shard, deliveryTimeout, clock, failed, credit, crowded });
  }

  private session(
    lock: HeldLock,
    model: ChannelModel,
    channel: ConfirmChannel,
    shard: number,
    side: SideReader,
  ): RabbitShardSession {
    const { publisher, fence, topology, settings, clock, logger, unanswered } = this.parts;
    return new RabbitShardSession({
      shard,
      channel,
      side,
      publisher,
      names: topology.names,
      tags: topology.tags,
      prefetch: settings.prefetch,
      frameMax: limitsOf(model).frameMax,
      fence,
      clock,
      logger,
      unanswered,
      freed: (ended) => this.release(lock, ended),
    });
  }

  private async consume(channel: Channel, session: RabbitShardSession): Promise<void> {
    const { topology } = this.parts;
    const queue = topology.names.shard(session.shard);
    await topology.reading(
      channel.consume(
        queue,
        (message) => {
          if (message === null) {
            this.lock.deleted(session.shard);
            session.fail(cancelledBy(queue));
          } else session.arrived(message);
        },
        { exclusive: this.lock.exclusive, consumerTag: topology.tags.shard(session.shard) },
      ),
    );
  }

  /** A previous owner's reader must have gone first: what it held would not be counted. */
  private async readSideQueue(channel: Channel, side: SideReader, shard: number): ReturnType<SideReader['index']> {
    const { topology, clock } = this.parts;
    const deadline = clock.now() + STRANGER_TIMEOUT;
    for (;;) {
      const { messageCount, consumerCount } = await topology.declareParked(channel, shard);
      if (consumerCount === 0) return topology.reading(side.index(messageCount));
      if (clock.now() >= deadline) throw new Error(strangerAt(topology.names.parked(shard)));
      await pause(clock, 20);
    }
  }

  /** The lock goes last: the next owner is to find nothing of this epoch. */
  private async release(lock: HeldLock, session: RabbitShardSession): Promise<void> {
    await Promise.resolve(); // A connection that ends ends its channels first.
    await lock.release();
    this.freed(session);
  }
}

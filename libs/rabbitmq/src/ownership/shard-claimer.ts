import type { LoggerService } from '@nestjs/common';
import type { Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { limitsOf } from '../connection/client.js';
import { closeChannel, closedChannel, openConfirmChannel } from '../connection/channels.js';
import type { LazyChannel } from '../connection/lazy-channel.js';
import { pause } from '../connection/timers.js';
import { codeOf, isInUse, RESOURCE_LOCKED } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';
import type { RabbitPublisher } from '../publishing/rabbit-publisher.js';
import { verifyExclusive } from './exclusive-consumer.js';
import { RabbitShardSession } from '../sessions/shard-session.js';
import { SideReader } from '../sessions/side-reader.js';
import { QUORUM_CREDIT, strangerAt, STRANGER_TIMEOUT } from '../sessions/side-channel.js';
import type { StallFence } from '../sessions/stall-fence.js';
import { cancelledBy } from '../topology/disagreement.js';
import type { Topology } from '../topology/topology.js';
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
 * an exclusive lock queue. RabbitMQ decides who gets it.
 */
export class ShardClaimer {
  /** Shards of which only one process can be the consumer, as was seen. */
  private readonly verified = new Set<number>();

  constructor(
    private readonly parts: ClaimerParts,
    /** A session has ended, and its shard is free. */
    private readonly freed: (session: RabbitShardSession) => void,
  ) {}

  /** Returns the claim, or `undefined` where somebody else has the shard. */
  async claim(model: ChannelModel, shard: number): Promise<Claim | undefined> {
    const channel = await openConfirmChannel(model);
    try {
      return { channel, session: await this.take(model, channel, shard) };
    } catch (error) {
      await closeChannel(channel);
      if (isTaken(error)) return undefined;
      throw error;
    }
  }

  private async take(model: ChannelModel, channel: ConfirmChannel, shard: number): Promise<RabbitShardSession> {
    const { topology, settings } = this.parts;
    if (settings.quorum) await topology.declareLock(channel, shard);
    const side = this.sideReader(model, shard, (cause) => session.fail(cause));
    const session: RabbitShardSession = this.session(model, channel, shard, side);
    channel.on('close', () => session.lose(closedChannel(`shard ${shard}`, channel)));
    // A queue of signals that cannot be had is known before anything is handled: with its channel the epoch would end.
    await Promise.all([channel.prefetch(settings.prefetch), topology.declareSignals(channel, shard)]);
    await this.consume(channel, session);
    session.parked = await this.readSideQueue(channel, side, shard);
    // Not at the same time: a shard takes two channels at most.
    if (!settings.quorum) await this.verify(model, shard);
    return session;
  }

  /** That the broker enforces the exclusive consumer is asked once for each queue: a refusal costs a channel. */
  private async verify(model: ChannelModel, shard: number): Promise<void> {
    if (this.verified.has(shard)) return;
    await verifyExclusive(model, this.parts.topology.names.shard(shard));
    this.verified.add(shard);
  }

  private sideReader(model: ChannelModel, shard: number, failed: (cause: Error) => void): SideReader {
    const { topology, settings, clock, warnings } = this.parts;
    const { deliveryTimeout } = settings;
    const queue = topology.names.parked(shard);
    const credit = settings.quorum ? QUORUM_CREDIT : Infinity;
    const crowded = (): void =>
      warnings.warnOf(
        'crowded',
        shard,
        `A key of shard ${shard} waits for its parked messages, which lie behind ${credit} of other keys in '${queue}', more than RabbitMQ gives at once: resume or drop the keys that are parked before it.`,
      );
    return new SideReader({ model, queue, shard, deliveryTimeout, clock, failed, credit, crowded });
  }

  private session(model: ChannelModel, channel: ConfirmChannel, shard: number, side: SideReader): RabbitShardSession {
    const { publisher, fence, topology, settings, clock, logger, unanswered } = this.parts;
    return new RabbitShardSession({
      shard,
      channel,
      side,
      publisher,
      names: topology.names,
      prefetch: settings.prefetch,
      frameMax: limitsOf(model).frameMax,
      fence,
      clock,
      logger,
      unanswered,
      freed: (ended) => this.release(model, ended),
    });
  }

  private async consume(channel: Channel, session: RabbitShardSession): Promise<void> {
    const { topology, settings } = this.parts;
    const queue = topology.names.shard(session.shard);
    await topology.reading(
      channel.consume(
        queue,
        (message) => {
          if (message === null) {
            this.verified.delete(session.shard); // Another queue may come by the name.
            session.fail(cancelledBy(queue));
          } else session.arrived(message);
        },
        { exclusive: !settings.quorum },
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

  private async release(model: ChannelModel, session: RabbitShardSession): Promise<void> {
    const { settings, connection } = this.parts;
    await Promise.resolve(); // A connection that ends ends its channels first.
    // The lock goes with the connection too.
    if (settings.quorum && connection.current === model) await this.unlock(session.shard).catch(() => undefined);
    this.freed(session);
  }

  private async unlock(shard: number): Promise<void> {
    const { survey, topology } = this.parts;
    await (await survey.get()).deleteQueue(topology.names.lock(shard));
  }
}

function isTaken(error: unknown): boolean {
  return isInUse(error) || codeOf(error) === RESOURCE_LOCKED;
}

import { randomBytes } from 'node:crypto';
import type { Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import type { BrokerConnection } from '../../connection/broker-connection.js';
import { closeChannel, openChannel } from '../../connection/channels.js';
import { reasonOf } from '../../errors/reason.js';
import { codeOf, RESOURCE_LOCKED } from '../../errors/reply-codes.js';
import type { Settings } from '../../options/settings.js';
import type { RabbitPublisher } from '../../publishing/rabbit-publisher.js';
import type { Topology } from '../../topology/topology.js';
import type { Pace } from './lock-renewal.js';
import type { HeldLock, ShardLock } from './shard-lock.js';
import { TokenLock } from './token-lock.js';

/**
 * How long a token is waited for, try by try: where two come at once, one of them gets none, and sees in the next try that the other
 * is there. Longer each time, since a slow broker is not to be taken for another owner. Milliseconds.
 */
const PATIENCE = [250, 1_000, 4_000];
/** How long the first token of a queue may take to be confirmed. Milliseconds. */
const FILL_TIMEOUT = 5_000;
/** A lock is not renewed more often. Milliseconds. */
const LEAST_INTERVAL = 1_000;
/** Nor is a token waited for less: the queue may have to elect a leader, which takes about one second (RabbitMQ 3.10). Milliseconds. */
const LEAST_PATIENCE = 5_000;

export interface QueueLockParts {
  /** The connection that consumes. */
  readonly connection: Pick<BrokerConnection, 'heartbeat'>;
  /** On the other connection: one that consumes must not publish while there is an alarm. */
  readonly publisher: Pick<RabbitPublisher, 'submit'>;
  readonly topology: Topology;
  readonly settings: Settings;
  readonly clock: Clock;
}

/**
 * The lock of quorum shards: the active consumer of a quorum queue with a single active consumer. It learns that it is active by the
 * token in the queue, a message that is never acked before there is another. Nothing of it belongs to a node, as an exclusive queue does.
 */
export class QueueLock implements ShardLock {
  readonly exclusive = false;
  readonly verified: ReadonlySet<number> = new Set();

  constructor(private readonly parts: QueueLockParts) {}

  /**
   * @throws {RabbitMqSetupError} when the queue was declared otherwise
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async take(model: ChannelModel, shard: number): Promise<HeldLock | undefined> {
    for (const patience of PATIENCE) {
      const answer = await this.attempt(model, shard, patience);
      if (answer !== 'silence') return answer;
    }
    return undefined;
  }

  know(): void {
    // The lock tells.
  }

  deleted(): void {
    // Nothing is remembered of the shard's queue.
  }

  private async attempt(
    model: ChannelModel,
    shard: number,
    patience: number,
  ): Promise<HeldLock | 'silence' | undefined> {
    const channel = await openChannel(model);
    try {
      const lock = await this.claim(channel, shard, patience);
      if (lock === undefined || lock === 'silence') await closeChannel(channel);
      return lock;
    } catch (error) {
      await closeChannel(channel);
      // A process of an earlier release has an exclusive queue of that name.
      if (codeOf(error) === RESOURCE_LOCKED) return undefined;
      throw error;
    }
  }

  private async claim(channel: Channel, shard: number, patience: number): Promise<HeldLock | 'silence' | undefined> {
    const { topology } = this.parts;
    // Of several consumers only the active one is counted (RabbitMQ 3.10, 4.0).
    const { consumerCount, messageCount } = await topology.declareLock(channel, shard);
    if (consumerCount > 0) return undefined;
    const lock = this.lock(channel, shard);
    await topology.reading(lock.consume());
    const filled = messageCount > 0 ? Promise.resolve() : this.fill(topology.names.lock(shard));
    filled.catch(() => undefined); // A token may come before, from somebody who came at the same time.
    return (await lock.wait(patience, filled)) ? lock : 'silence';
  }

  private lock(channel: Channel, shard: number): TokenLock {
    const { names, tags } = this.parts.topology;
    const queue = names.lock(shard);
    const consumerTag = tags.lock(shard);
    const publish = (timeout: number): Promise<void> => this.publish(queue, timeout);
    return new TokenLock({ channel, queue, consumerTag, publish, pace: this.pace, clock: this.parts.clock });
  }

  /** A peer that does not answer is known after three heartbeats, and so is a lock that was lost. */
  private get pace(): Pace {
    const { connection, settings } = this.parts;
    const { heartbeat } = connection;
    const interval = Math.max(LEAST_INTERVAL, Math.min(heartbeat, settings.deliveryTimeout / 3));
    return { interval, patience: Math.max(LEAST_PATIENCE, heartbeat) };
  }

  /** Nobody consumes the queue, and it has no message: it is new, or was purged. Where that was not so, one token more does no harm. */
  private async fill(queue: string): Promise<void> {
    try {
      await this.publish(queue, FILL_TIMEOUT);
    } catch (error) {
      throw new Error(
        `its lock, the queue '${queue}', is new or was purged, and takes no message: ${reasonOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  private publish(queue: string, timeout: number): Promise<void> {
    const body = Buffer.from(randomBytes(8).toString('hex'));
    const options = { persistent: true, mandatory: false };
    return this.parts.publisher.submit({ exchange: '', queue, body, options }, timeout);
  }
}

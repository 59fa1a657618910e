import type { Channel, ChannelModel, Options, Replies } from 'amqplib';
import { closeChannel, onChannel, openChannel } from '../connection/channels.js';
import { within } from '../connection/timers.js';
import { RabbitMqAccessError, RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import { codeOf, NOT_FOUND, PRECONDITION_FAILED } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';
import type { Clock } from '@mississippi/core/transport';
import {
  applicationOf,
  explainApplication,
  explainArguments,
  explainMeta,
  explainNothing,
  metaOf,
} from './disagreement.js';
import { ConsumerTags } from './consumer-tags.js';
import { QueueNames } from './queue-names.js';
import {
  BALANCED,
  CLASSIC,
  differsInLocator,
  ofOneConsumer,
  quorumOptions,
  remembering,
  SINGLE_ACTIVE,
} from './queue-options.js';
import { explainRight, needing, needingToBind, needingToForward } from './rights.js';

/** How many channels declare at once. */
const PARALLEL = 8;

/** How long the broker may take to refuse a message; during an alarm it says nothing. Milliseconds. */
const REFUSAL_TIMEOUT = 1_000;

/** A shard's queues could not be declared; `error` says why. Throws where that is to end it. */
export type ShardFailed = (shard: number, error: unknown) => void;

/**
 * How the queues of one prefix are declared. All that are shared are of one type: in a cluster that lost a node, a durable
 * classic queue which lived there can be neither declared nor consumed until the node is back (404, RabbitMQ 3.10), so one
 * of them would bring processes on replicated shards to a halt.
 */
export class Topology {
  readonly names: QueueNames;
  readonly tags: ConsumerTags;
  /** Whether the quorum queues have {@link BALANCED}. Those of earlier releases have not, and the broker compares it (RabbitMQ 3.10, 4.0). */
  private balanced = true;

  constructor(
    private readonly settings: Settings,
    /** What this process is called. */
    process: string,
  ) {
    this.names = new QueueNames(settings.prefix);
    this.tags = new ConsumerTags(process);
  }

  /**
   * Declares everything that is shared. Declaring what is there already changes nothing.
   * @param failed told of each shard whose queues could not be declared; the others are
   * @throws {RabbitMqSetupError} when the broker remembers another shard count, hash or queue type
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async declare(model: ChannelModel, failed: ShardFailed): Promise<void> {
    const { settings } = this;
    if (!settings.declares) return this.verify(model);
    await this.learnPlacement(model);
    await onChannel(model, async (channel) => {
      await this.declareDeadLetters(channel);
      await this.declareMeta(channel);
      const { exchange } = settings;
      if (exchange !== '') await this.asserted(channel.assertExchange(exchange, 'direct', { durable: true }));
    });
    await this.declareShards(model, failed);
  }

  /** Finds out how the quorum queues that are there are placed, before any of them is declared again. */
  async learnPlacement(model: ChannelModel): Promise<void> {
    if (this.settings.quorum) this.balanced = await this.areBalanced(model);
  }

  /** Whether an app has made the queues, where this process makes none. */
  private async verify(model: ChannelModel): Promise<void> {
    if (await this.isMissing(model, this.names.meta)) throw explainNothing(this.settings, this.names.meta);
  }

  /** Whether nothing remembers yet, or any more, how many shards there are. */
  async isNew(model: ChannelModel): Promise<boolean> {
    return this.isMissing(model, this.names.meta);
  }

  /** How many processes consume. */
  async memberCount(model: ChannelModel): Promise<number> {
    try {
      return (await onChannel(model, (channel) => channel.checkQueue(this.names.members))).consumerCount;
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return 0;
      throw error;
    }
  }

  /** Whether nothing remembers yet, or any more, whose queues these are. */
  async isNobodys(model: ChannelModel): Promise<boolean> {
    return this.isMissing(model, this.names.application);
  }

  /**
   * Declares what is remembered about the queues, and the dead letters.
   * @throws {RabbitMqSetupError} when they are another application's, or have another shard count, hash or queue type
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async declareMemory(channel: Channel): Promise<void> {
    await this.declareDeadLetters(channel);
    await this.declareMeta(channel);
    await this.declareApplication(channel);
  }

  /** Makes certain that the user may publish, as far as the broker says. */
  async verifyWriting(model: ChannelModel, clock: Clock): Promise<void> {
    const { exchange } = this.settings;
    for (const one of new Set(['', exchange])) {
      await within(clock, REFUSAL_TIMEOUT, this.refusalToPublish(model, one)).then(
        (refusal) => {
          if (refusal !== undefined) throw refusal;
        },
        () => undefined, // Nothing was refused in time; who publishes is told later.
      );
    }
  }

  /** Declares one shard's queue and binds it. Returns how many consumers it has. */
  async declareShard(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    const { exchange, quorum } = this.settings;
    const name = this.names.shard(index);
    const options = quorum ? this.quorumOptions(SINGLE_ACTIVE) : CLASSIC;
    const queue = await this.asserted(channel.assertQueue(name, options));
    if (exchange !== '') await needingToBind(this.settings, channel.bindQueue(name, exchange, name));
    return queue;
  }

  /** Declares the queue of signals to one shard. Its messages live as long as their callers wait. Returns how many consumers it has. */
  declareSignals(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    return this.asserted(channel.assertQueue(this.names.signals(index), this.durable()));
  }

  /** Declares one shard's side queue. Returns how many messages and consumers it has. */
  declareParked(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    return this.asserted(channel.assertQueue(this.names.parked(index), this.durable()));
  }

  /** Declares the queue that is the lock of one shard. Returns how many messages and active consumers it has. */
  declareLock(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    return this.asserted(channel.assertQueue(this.names.lock(index), ofOneConsumer(true)));
  }

  /** Declares the queue of the coordinator. Returns how many consumers it has. */
  declareCoordinator(channel: Channel): Promise<Replies.AssertQueue> {
    return this.asserted(channel.assertQueue(this.names.coordinator, ofOneConsumer(this.settings.quorum)));
  }

  /** Declares the queue that counts who takes part, and tells its consumers. */
  async declareMembers(channel: Channel): Promise<number> {
    return (await this.asserted(channel.assertQueue(this.names.members, this.durable()))).consumerCount;
  }

  /** Awaits the answer to a question that needs the right to read. */
  reading<T>(work: PromiseLike<T>): Promise<T> {
    return needing('read', this.settings, work);
  }

  /**
   * The broker compares known arguments when a queue is declared again, so two of the meta queue's carry the shard count
   * and the hash: whoever differs is answered 406 with both values. Nothing is ever published to it. It comes behind the dead
   * letters: where those could be declared, what is wanting here is not the right to configure.
   */
  private async declareMeta(channel: Channel): Promise<void> {
    const { settings, names } = this;
    const work = channel.assertQueue(names.meta, remembering(metaOf(settings), this.durable()));
    await this.asserted(needingToForward(settings, work), (error) => explainMeta(settings, names.meta, error));
  }

  /** As the meta queue, for those who consume: producers of any app may publish to the same shards. */
  private async declareApplication(channel: Channel): Promise<void> {
    const { settings, names } = this;
    const work = channel.assertQueue(names.application, remembering(applicationOf(settings), this.durable()));
    await this.asserted(needingToForward(settings, work), (error) =>
      explainApplication(settings, names.application, error),
    );
  }

  /** Declares the queue of the dead letters. */
  async declareDeadLetters(channel: Channel): Promise<void> {
    await this.asserted(channel.assertQueue(this.names.deadLetters, this.durable()));
  }

  private async declareShards(model: ChannelModel, failed: ShardFailed): Promise<void> {
    const { totalCount } = this.settings;
    let next = 0;
    const work = async (): Promise<void> => {
      let channel = await openChannel(model);
      while (next < totalCount) {
        const index = next++;
        try {
          const shard = this.declareShard(channel, index);
          const signals = this.declareSignals(channel, index);
          signals.catch(() => undefined); // Where the channel was closed over the shard's queue, that says why.
          await shard;
          await signals;
        } catch (error) {
          failed(index, error);
          channel = await openChannel(model); // The broker has closed the other, or its connection has gone.
        }
      }
      await closeChannel(channel);
    };
    const channels = Math.min(PARALLEL, totalCount);
    await Promise.all(Array.from({ length: channels }, work));
  }

  private async isMissing(model: ChannelModel, queue: string): Promise<boolean> {
    try {
      await onChannel(model, (channel) => channel.checkQueue(queue));
      return false;
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return true;
      throw error;
    }
  }

  /** Publishes what no queue gets. What is asked next is answered after a refusal would be. */
  private async refusalToPublish(model: ChannelModel, exchange: string): Promise<RabbitMqAccessError | undefined> {
    const channel = await openChannel(model);
    let refusal: RabbitMqAccessError | undefined;
    channel.on('error', (error: unknown) => {
      refusal = explainRight('write', this.settings, error);
    });
    channel.publish(exchange, this.names.nobody, Buffer.alloc(0));
    await channel.checkQueue(this.names.meta).catch(() => undefined); // Only that it is answered matters.
    await closeChannel(channel);
    return refusal;
  }

  /** Awaits the answer to a declaration, and tells what to do where the broker has something else by the same name. */
  private async asserted<T>(
    work: PromiseLike<T>,
    explain = (error: unknown): RabbitMqSetupError => explainArguments(this.settings, error),
  ): Promise<T> {
    try {
      return await needing('configure', this.settings, work);
    } catch (error) {
      throw codeOf(error) === PRECONDITION_FAILED ? explain(error) : error;
    }
  }

  private durable(): Options.AssertQueue {
    return this.settings.quorum ? this.quorumOptions({}) : CLASSIC;
  }

  private quorumOptions(more: Readonly<Record<string, unknown>>): Options.AssertQueue {
    return quorumOptions(this.balanced ? { ...BALANCED, ...more } : more);
  }

  /** What is declared first of a prefix tells it of all that follow. */
  private async areBalanced(model: ChannelModel): Promise<boolean> {
    const { names, settings } = this;
    if (await this.isMissing(model, names.meta)) return this.isMissing(model, names.shard(0));
    const options = remembering(metaOf(settings), quorumOptions(BALANCED));
    try {
      await onChannel(model, (channel) => channel.assertQueue(names.meta, options));
      return true;
    } catch (error) {
      return !differsInLocator(error); // What else is wrong is told when it is declared.
    }
  }
}

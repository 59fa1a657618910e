import type { Channel, ChannelModel, Options, Replies } from 'amqplib';
import { onChannel } from '../connection/channels.js';
import { codeOf, PRECONDITION_FAILED } from '../errors/reply-codes.js';
import type { RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import type { Settings } from '../options/settings.js';
import { explainArguments, explainMeta, metaOf } from './disagreement.js';
import { QueueNames } from './queue-names.js';

/**
 * Without a limit of our own a quorum queue of RabbitMQ 4 drops a message at its 20th return, and prefetched messages
 * count; -1 destroys them at the first return on 3.10.8. This number is taken by both and never reached.
 */
const DELIVERY_LIMIT = 2_147_483_647;

/** How many channels declare at once. */
const PARALLEL = 8;

/**
 * How the queues of one prefix are declared. All that are shared are of one type: in a cluster that lost a node, a durable
 * classic queue which lived there can be neither declared nor consumed until the node is back (404, RabbitMQ 3.10), so one
 * of them would bring processes on replicated shards to a halt.
 */
export class Topology {
  readonly names: QueueNames;

  constructor(private readonly settings: Settings) {
    this.names = new QueueNames(settings.prefix);
  }

  /**
   * Declares everything that is shared. Declaring what is there already changes nothing.
   * @throws {RabbitMqSetupError} when the broker remembers another shard count, hash or queue type
   */
  async declare(model: ChannelModel): Promise<void> {
    const { settings, names } = this;
    await explained(this.declareMeta(model), (error) => explainMeta(settings, names.meta, error));
    await explained(this.declareShared(model), (error) => explainArguments(settings, error));
    await explained(this.declareShards(model), (error) => explainArguments(settings, error));
  }

  /** Declares one shard's queue and binds it. Returns how many consumers it has. */
  async declareShard(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    const { exchange, quorum } = this.settings;
    const name = this.names.shard(index);
    const options = quorum ? quorumOptions({ 'x-single-active-consumer': true }) : { durable: true };
    const queue = await channel.assertQueue(name, options);
    if (exchange !== '') await channel.bindQueue(name, exchange, name);
    return queue;
  }

  /** Declares the queue of signals to one shard. Its messages live as long as their callers wait. */
  async declareSignals(channel: Channel, index: number): Promise<void> {
    await channel.assertQueue(this.names.signals(index), this.durable());
  }

  /** Declares one shard's side queue. Returns how many messages and consumers it has. */
  declareParked(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    return channel.assertQueue(this.names.parked(index), this.durable());
  }

  /** Takes the lock of one shard: it belongs to this connection alone. */
  async declareLock(channel: Channel, index: number): Promise<void> {
    await channel.assertQueue(this.names.lock(index), { exclusive: true, durable: false, autoDelete: false });
  }

  /** Declares the exchange by which all processes are asked. */
  async declareProcesses(channel: Channel): Promise<void> {
    await channel.assertExchange(this.names.processes, 'fanout', { durable: true });
  }

  /** Declares the queues that count who takes part, and tells their consumers. */
  async declareMembers(channel: Channel): Promise<{ members: number; hungry: number }> {
    const [members, hungry] = await Promise.all([
      channel.assertQueue(this.names.members, this.durable()),
      channel.assertQueue(this.names.hungry, this.durable()),
    ]);
    return { members: members.consumerCount, hungry: hungry.consumerCount };
  }

  /**
   * The broker compares known arguments when a queue is declared again, so two of the meta queue's carry the shard count
   * and the hash: whoever differs is answered 406 with both values. Nothing is ever published to it.
   */
  private async declareMeta(model: ChannelModel): Promise<void> {
    const options = { ...this.durable(), deadLetterExchange: '', deadLetterRoutingKey: metaOf(this.settings) };
    await onChannel(model, (channel) => channel.assertQueue(this.names.meta, options));
  }

  private async declareShared(model: ChannelModel): Promise<void> {
    const { exchange } = this.settings;
    await onChannel(model, async (channel) => {
      await channel.assertQueue(this.names.deadLetters, this.durable());
      if (exchange !== '') await channel.assertExchange(exchange, 'direct', { durable: true });
    });
  }

  private async declareShards(model: ChannelModel): Promise<void> {
    const { totalCount } = this.settings;
    let next = 0;
    const work = async (channel: Channel): Promise<void> => {
      while (next < totalCount) {
        const index = next++;
        await Promise.all([this.declareShard(channel, index), this.declareSignals(channel, index)]);
      }
    };
    const channels = Math.min(PARALLEL, totalCount);
    await Promise.all(Array.from({ length: channels }, () => onChannel(model, work)));
  }

  private durable(): Options.AssertQueue {
    return this.settings.quorum ? quorumOptions({}) : { durable: true };
  }
}

function quorumOptions(more: Record<string, unknown>): Options.AssertQueue {
  return { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT, ...more } };
}

/** Tells what to do where the broker has something else by the same name. */
async function explained(work: Promise<void>, explain: (error: unknown) => RabbitMqSetupError): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw codeOf(error) === PRECONDITION_FAILED ? explain(error) : error;
  }
}

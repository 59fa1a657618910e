import type { Channel, ChannelModel, Options, Replies } from 'amqplib';
import { reasonOf, RabbitMqSetupError } from './errors.js';
import type { Settings } from './settings.js';

/** The hash behind the shards, as it is remembered in the broker. */
const HASH = 'phash2';
const PRECONDITION_FAILED = 406;

/**
 * Without a limit of our own a quorum queue of RabbitMQ 4 drops a message at its 20th return, and prefetched messages
 * count; -1 destroys them at the first return on 3.10.8. This number is taken by both and never reached.
 */
const DELIVERY_LIMIT = 2_147_483_647;

/** How many declarations are under way at once. */
const LANES = 8;

/**
 * The queues of one prefix: their names, and how they are declared. All that are shared are of one type: in a cluster that
 * lost a node, a durable classic queue which lived there can be neither declared nor consumed until the node is back (404,
 * RabbitMQ 3.10), so one of them would bring processes on replicated shards to a halt.
 */
export class Topology {
  readonly deadLetters: string;
  readonly meta: string;
  readonly members: string;
  readonly hungry: string;
  readonly processes: string;

  constructor(private readonly settings: Settings) {
    this.deadLetters = `${settings.prefix}dead_letters`;
    this.meta = `${settings.prefix}meta`;
    this.members = `${settings.prefix}members`;
    this.hungry = `${settings.prefix}hungry`;
    this.processes = `${settings.prefix}processes`;
  }

  shard(index: number): string {
    return `${this.settings.prefix}${index}`;
  }

  parked(index: number): string {
    return `${this.settings.prefix}${index}.parked`;
  }

  /** Requests from other processes to the shard's keys. */
  signals(index: number): string {
    return `${this.settings.prefix}${index}.signals`;
  }

  lock(index: number): string {
    return `${this.settings.prefix}${index}.lock`;
  }

  /**
   * Declares everything that is shared. Declaring what is there already changes nothing.
   * @throws {RabbitMqSetupError} when the broker remembers another shard count, hash or queue type
   */
  async declare(model: ChannelModel): Promise<void> {
    await this.declareMeta(model);
    const { exchange, totalCount } = this.settings;
    const shared = onChannel(model, async (channel) => {
      await channel.assertQueue(this.deadLetters, this.durable());
      if (exchange !== '') await channel.assertExchange(exchange, 'direct', { durable: true });
    });
    await this.explained(shared);
    let next = 0;
    const lane = (): Promise<void> =>
      onChannel(model, async (channel) => {
        while (next < totalCount) {
          const index = next++;
          await Promise.all([this.declareShard(channel, index), this.declareSignals(channel, index)]);
        }
      });
    await this.explained(Promise.all(Array.from({ length: Math.min(LANES, totalCount) }, lane)));
  }

  /** Declares one shard's queue and binds it. Tells how many consumers it has. */
  async declareShard(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    const { exchange, quorum } = this.settings;
    const options = quorum ? quorumOptions({ 'x-single-active-consumer': true }) : { durable: true };
    const queue = await channel.assertQueue(this.shard(index), options);
    if (exchange !== '') await channel.bindQueue(this.shard(index), exchange, this.shard(index));
    return queue;
  }

  /** Declares the queue of signals to one shard. Its messages live as long as their callers wait. */
  async declareSignals(channel: Channel, index: number): Promise<void> {
    await channel.assertQueue(this.signals(index), this.durable());
  }

  /** Declares one shard's side queue. Tells how many messages and consumers it has. */
  declareParked(channel: Channel, index: number): Promise<Replies.AssertQueue> {
    return channel.assertQueue(this.parked(index), this.durable());
  }

  /** Declares the exchange by which all processes are asked. */
  async declareProcesses(channel: Channel): Promise<void> {
    await channel.assertExchange(this.processes, 'fanout', { durable: true });
  }

  /** Declares the queues that count who takes part, and tells their consumers. */
  async declareMembers(channel: Channel): Promise<{ members: number; hungry: number }> {
    const [members, hungry] = await Promise.all([
      channel.assertQueue(this.members, this.durable()),
      channel.assertQueue(this.hungry, this.durable()),
    ]);
    return { members: members.consumerCount, hungry: hungry.consumerCount };
  }

  /**
   * The broker compares known arguments when a queue is declared again, so two of the meta queue's carry the shard count
   * and the hash: whoever differs is answered 406 with both values. Nothing is ever published to it.
   */
  private async declareMeta(model: ChannelModel): Promise<void> {
    const ours = `v1;${this.settings.totalCount};${HASH}`;
    try {
      await onChannel(model, (channel) =>
        channel.assertQueue(this.meta, { ...this.durable(), deadLetterExchange: '', deadLetterRoutingKey: ours }),
      );
    } catch (error) {
      if (codeOf(error) !== PRECONDITION_FAILED) throw error;
      throw new RabbitMqSetupError(this.otherMeta(reasonOf(error)));
    }
  }

  private otherMeta(reason: string): string {
    const { prefix, totalCount } = this.settings;
    if (TYPE_ARGUMENTS.test(reason)) return this.otherArguments(reason);
    const [, count, hash] = /current is '?v1;(\d+);([^']*)'?/.exec(reason) ?? [];
    if (count === undefined) {
      return `The queue '${this.meta}' was declared by somebody else (${reason}): choose another queues.prefix.`;
    }
    return (
      `The queues '${prefix}*' have ${count} shards by ${hash} in the broker, but this app asks for ${totalCount} by ${HASH}: ` +
      `${hash === HASH ? `set queues.totalCount to ${count}, or ` : ''}choose another queues.prefix. ` +
      `A key would otherwise change its shard and lose its order.`
    );
  }

  private durable(): Options.AssertQueue {
    return this.settings.quorum ? quorumOptions({}) : { durable: true };
  }

  private async explained(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (codeOf(error) !== PRECONDITION_FAILED) throw error;
      throw new RabbitMqSetupError(this.otherArguments(reasonOf(error)));
    }
  }

  private otherArguments(reason: string): string {
    const { prefix, quorum, exchange } = this.settings;
    if (reason.includes(' for exchange ')) {
      return `The exchange '${exchange}' exists, but is not direct and durable (${reason}): choose another exchange, or delete it.`;
    }
    if (!TYPE_ARGUMENTS.test(reason)) {
      return `A queue of '${prefix}*' exists with other arguments (${reason}): delete it, or choose another queues.prefix.`;
    }
    const [asked, found] = quorum ? ['quorum', 'classic'] : ['classic', 'quorum'];
    return `The queues '${prefix}*' are ${found} in the broker, but this app asks for ${asked}: set queues.type to '${found}', or choose another queues.prefix.`;
  }
}

/** What only the queues of one type have. */
const TYPE_ARGUMENTS = /'x-(queue-type|delivery-limit|single-active-consumer)'/;

function quorumOptions(more: Record<string, unknown>): Options.AssertQueue {
  return { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT, ...more } };
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined;
}

/** Runs something on a channel of its own. An error of the broker closes only that channel. */
export async function onChannel<T>(model: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel();
  // The work's own promise rejects with the same error.
  channel.on('error', () => undefined);
  try {
    return await work(channel);
  } finally {
    await closeChannel(channel);
  }
}

/**
 * Closes a channel. Resolves when it is closed, by whatever: the promise of amqplib 2.3 stays open for ever when the
 * connection goes before the broker has answered.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once('close', resolve));
  await Promise.race([channel.close(), closed]).catch(() => undefined); // It may be closed already.
}

import { systemClock, type Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import { onChannel } from '../connection/channels.js';
import { destroy, end } from '../connection/client.js';
import { within } from '../connection/timers.js';
import { RabbitMqAccessError, RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import { ACCESS_REFUSED, codeOf } from '../errors/reply-codes.js';
import { checkOptions } from '../options/check-options.js';
import type { RabbitMqOptions } from '../options/rabbitmq.options.js';
import { settingsIn, settingsOf, type Settings } from '../options/settings.js';
import { QueueNames } from '../topology/queue-names.js';
import { explainRight, needing } from '../topology/rights.js';
import { Topology } from '../topology/topology.js';
import { factsOf, type BrokerFacts } from './broker-facts.js';
import { connectOnce, type Connected } from './connect-once.js';
import type { FoundQueues, MissingRight, QueueDifference, QueueFacts, ShardQueues } from './found-queues.js';
import { PassiveLooks } from './passive-looks.js';
import { learnArguments } from './queue-arguments.js';

/** How long the broker may take to say goodbye. Milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** Where a queue of ours remembers a text: see `remembering`. */
const MEMORY = 'x-dead-letter-routing-key';
const TYPE = 'x-queue-type';
/** Each quorum queue of ours has it, and no classic one. */
const LIMIT = 'x-delivery-limit';
/** What no app remembers, so that the declaration that asks differs from what is there. */
const QUESTION = { [TYPE]: 'classic', 'x-dead-letter-exchange': '', [MEMORY]: '?' };

/**
 * Looks at a broker, by one connection of its own, and changes nothing there: it makes no queue, takes no message and takes no part.
 * @publicApi
 */
export class BrokerInspection {
  readonly broker: BrokerFacts;
  private readonly model: ChannelModel;
  private readonly looks: PassiveLooks;

  private constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    { model, endpoint }: Connected,
  ) {
    this.model = model;
    this.broker = factsOf(model, endpoint);
    this.looks = new PassiveLooks(model);
  }

  /**
   * @param options how to reach the broker; what they say of queues is left aside
   * @throws {InvalidOptionsError}
   * @throws {RabbitMqUnreachableError} when no broker answers
   * @throws {RabbitMqSetupError} when it refuses the user or the virtual host
   */
  static async open(options: RabbitMqOptions, purpose: string): Promise<BrokerInspection> {
    const settings = settingsIn(settingsOf(checkOptions(options)), 'default');
    return new BrokerInspection(settings, systemClock, await connectOnce(settings, purpose, systemClock));
  }

  /** `undefined` where there is no such queue. */
  queue(name: string): Promise<QueueFacts | undefined> {
    return this.looks.queue(name);
  }

  /** What an app has made under a prefix; `undefined` where there is nothing. */
  async find(prefix: string): Promise<FoundQueues | undefined> {
    const names = new QueueNames(prefix);
    const [meta, first] = [await this.queue(names.meta), await this.queue(names.shard(0))];
    if (meta === undefined && first === undefined) return undefined;
    const known = meta === undefined ? {} : await this.memory(names.meta);
    const [, count, hash] = /^v1;(\d+);(.*)$/s.exec(known?.text ?? '') ?? [];
    const application = await this.applicationOf(names);
    return {
      prefix,
      totalCount: count === undefined ? await this.count(names) : Number(count),
      type: await this.typeOf(names, known?.text),
      hash,
      application,
      counted: count === undefined,
    };
  }

  /** The queues of each shard, and how much is in them. */
  async shards({ prefix, totalCount }: FoundQueues): Promise<ShardQueues[]> {
    const names = new QueueNames(prefix);
    const found: ShardQueues[] = [];
    for (let shard = 0; shard < totalCount; shard++) {
      found.push({
        shard,
        messages: await this.queue(names.shard(shard)),
        parked: await this.queue(names.parked(shard)),
        signals: await this.queue(names.signals(shard)),
      });
    }
    return found;
  }

  /** The dead letters that nobody reads at this moment; `undefined` where there is no such queue. */
  deadLetters({ prefix }: FoundQueues): Promise<QueueFacts | undefined> {
    return this.queue(new QueueNames(prefix).deadLetters);
  }

  /** What the user may not do with the queues, tried on one that is always empty. */
  async missingRights(found: FoundQueues): Promise<MissingRight[]> {
    const settings = this.settingsFor(found);
    const { meta } = new QueueNames(found.prefix);
    const topology = new Topology(settings, 'nobody');
    const tries = [
      this.memory(meta, (error) => {
        throw explainRight('configure', settings, error) ?? error;
      }),
      topology.verifyWriting(this.model, this.clock),
      onChannel(this.model, (channel) => needing('read', settings, channel.get(meta))),
    ];
    const missing: MissingRight[] = [];
    for (const result of await Promise.allSettled(tries)) {
      if (result.status === 'fulfilled') continue;
      const error: unknown = result.reason;
      if (!(error instanceof RabbitMqAccessError)) throw error;
      missing.push({ right: error.right, message: error.message });
    }
    return missing;
  }

  /** The queues that are made otherwise than the library makes them. Each that is there is declared again, as every app does at its start. */
  async differences(found: FoundQueues): Promise<QueueDifference[]> {
    if (found.type === undefined) return [];
    const topology = new Topology(this.settingsFor(found), 'nobody');
    await topology.learnPlacement(this.model);
    const differing: QueueDifference[] = [];
    for (const [queue, declare] of declarations(topology, found)) {
      if ((await this.queue(queue)) === undefined) continue; // Or it would be made.
      try {
        await onChannel(this.model, declare);
      } catch (error) {
        if (!(error instanceof RabbitMqSetupError)) throw error;
        differing.push({ queue, message: error.message });
      }
    }
    return differing;
  }

  async close(): Promise<void> {
    try {
      await this.looks.close();
      await within(this.clock, CLOSE_TIMEOUT, this.model.close());
      end(this.model);
    } catch {
      destroy(this.model, new Error('the connection was closed'));
    }
  }

  private settingsFor({ prefix, totalCount, type, application }: FoundQueues): Settings {
    const quorum = type === 'quorum';
    return { ...this.settings, prefix, totalCount, quorum, exchange: '', application: application ?? '' };
  }

  /** What a queue remembers; nothing where the broker does not let us ask. */
  private async memory(queue: string, refused = allowRefusal): Promise<{ text?: string } | undefined> {
    try {
      const known = await learnArguments(this.model, queue, QUESTION, [MEMORY]);
      return known === undefined ? undefined : { text: String(known[MEMORY]) };
    } catch (error) {
      refused(error);
      return undefined;
    }
  }

  /**
   * Quorum queues that were consumed from have locks, which may be seen without any right but to read. Others are asked for what quorum
   * queues alone have, with another value than any has: RabbitMQ 3.10 names that before the type, 4.0 behind it.
   * @param text what the meta queue remembers; without it nothing can be asked that differs in this alone
   */
  private async typeOf(names: QueueNames, text: string | undefined): Promise<FoundQueues['type']> {
    if ((await this.queue(names.lock(0))) !== undefined) return 'quorum';
    if (text === undefined) return undefined;
    const question = { ...QUESTION, [MEMORY]: text, [TYPE]: 'quorum', [LIMIT]: 1 };
    const known = await learnArguments(this.model, names.meta, question, [TYPE, LIMIT]);
    if (known === undefined) return undefined;
    return known[TYPE] === 'quorum' && known[LIMIT] !== undefined ? 'quorum' : 'classic';
  }

  private async applicationOf({ application }: QueueNames): Promise<string | undefined> {
    if ((await this.queue(application)) === undefined) return undefined;
    return /^v1;(.*)$/s.exec((await this.memory(application))?.text ?? '')?.[1];
  }

  /** Up to the first that is not there. */
  private async count(names: QueueNames): Promise<number> {
    let count = 0;
    while ((await this.queue(names.shard(count))) !== undefined) count++;
    return count;
  }
}

/** Who may not configure is not told what a queue remembers. */
function allowRefusal(error: unknown): void {
  if (codeOf(error) !== ACCESS_REFUSED) throw error;
}

/** Each queue of a prefix, and how it is declared. */
function* declarations(
  topology: Topology,
  { totalCount, type }: FoundQueues,
): Generator<[queue: string, declare: (channel: Channel) => Promise<unknown>]> {
  const { names } = topology;
  yield [names.deadLetters, (channel) => topology.declareDeadLetters(channel)];
  yield [names.members, (channel) => topology.declareMembers(channel)];
  yield [names.coordinator, (channel) => topology.declareCoordinator(channel)];
  for (let shard = 0; shard < totalCount; shard++) {
    yield [names.shard(shard), (channel) => topology.declareShard(channel, shard)];
    yield [names.parked(shard), (channel) => topology.declareParked(channel, shard)];
    yield [names.signals(shard), (channel) => topology.declareSignals(channel, shard)];
    if (type === 'quorum') yield [names.lock(shard), (channel) => topology.declareLock(channel, shard)];
  }
}

import { RabbitMqNode } from '#support/rabbitmq-node.js';
import type { ChannelModel } from 'amqplib';
import { type Measurement, rateOf } from '../harness/measurement.js';
import { runChild } from '../harness/run-child.js';
import { SHARDS } from '../process/keys.js';
import type { ConsumerName } from './consumers.js';
import { fill } from './fill.js';
import type { ConsumerPlan } from './measure-consumer.js';
import type { PublisherName } from './publishers.js';
import { emptyQueues, openConnection, PREFETCH, type QueueType } from './queues.js';
import type { Wording } from './reading.js';

export type ConsumerRun = Pick<ConsumerPlan, 'consumer' | 'messages'> & {
  readonly keys: number;
  /** Messages before the clock starts, beside those that are counted. */
  readonly warmUp?: number;
  readonly work?: number;
  readonly type?: QueueType;
  readonly look?: 'rate' | 'startUp';
};

/** Where nothing else is said. */
const KEYS = 10_000;

/** Messages by which the load is found, and how long one is measured. */
const CALIBRATION = 20_000;
const LOAD_SECONDS = 5;
const UNMEASURED_SECONDS = 1;

/** A node of our own, its queues, and the runs on them. */
export class BenchBroker {
  private halfLoad: Promise<number> | undefined;

  private constructor(
    private readonly node: RabbitMqNode,
    private readonly model: ChannelModel,
    /** The broker's process. */
    readonly pid: number,
    readonly version: string,
  ) {}

  static async start(): Promise<BenchBroker> {
    const node = await RabbitMqNode.start();
    const pid = Number(node.eval('os:getpid().').replaceAll('"', ''));
    const version = node.eval('rabbit_misc:version().').replaceAll('"', '');
    return new BenchBroker(node, await openConnection(node.url), pid, version);
  }

  get url(): string {
    return this.node.url;
  }

  async stop(): Promise<void> {
    await this.model.close();
    await this.node.stop();
  }

  /** Empty queues that speak a wording. */
  async queues(wording: Wording, type: QueueType = 'classic'): Promise<string> {
    const prefix = `bench_${type}_${wording}_`;
    await emptyQueues(this.model, prefix, type);
    return prefix;
  }

  /** The classic queues with so many messages in them, round robin over the keys. */
  async filled(keys: number, messages: number): Promise<string> {
    const prefix = await this.queues('plain');
    await fill(this.model, prefix, 'plain', keys, messages);
    return prefix;
  }

  /** Fills the queues, then lets a consumer empty them. */
  async consume(run: ConsumerRun): Promise<Measurement> {
    const { consumer, keys, warmUp = 0, work = 0, type = 'classic', look = 'rate' } = run;
    const messages = warmUp + run.messages;
    const wording = wordingOf(consumer);
    const prefix = await this.queues(wording, type);
    // After a warm-up as much lies with the consumer when the clock starts as it may hold: let the same lie there at the end.
    const rest = warmUp === 0 ? 0 : Math.min(keys, SHARDS) * PREFETCH;
    await fill(this.model, prefix, wording, keys, messages + rest);
    const { url, pid: broker } = this;
    return runChild({
      case: 'consumer',
      consumer,
      url,
      prefix,
      type,
      broker,
      work,
      messages,
      look,
      unmeasured: warmUp,
    });
  }

  /** Empties the queues, then lets a publisher fill them. */
  async publish(publisher: PublisherName, messages: number, window: number): Promise<Measurement> {
    const prefix = await this.queues('plain');
    const { url, pid: broker } = this;
    return runChild({
      case: 'publisher',
      publisher,
      url,
      prefix,
      broker,
      keys: KEYS,
      messages,
      warmUp: Math.min(10_000, messages),
      window,
    });
  }

  /** Publishes evenly while a consumer runs, at half of what the machine carries. */
  async latency(consumer: ConsumerName, all: readonly ConsumerName[]): Promise<Measurement> {
    const rate = await (this.halfLoad ??= this.findHalfLoad(all));
    const wording = wordingOf(consumer);
    const prefix = await this.queues(wording);
    const { url, pid: broker } = this;
    const messages = Math.round(rate * LOAD_SECONDS);
    const run = { consumer, url, prefix, broker, messages, unmeasured: Math.round(rate * UNMEASURED_SECONDS) };
    let load: Promise<Measurement> | undefined;
    const measured = await runChild({ case: 'consumer', type: 'classic', work: 0, look: 'latency', ...run }, () => {
      load = runChild({ case: 'load', url, prefix, wording, keys: KEYS, messages, rate });
    });
    await load;
    return measured;
  }

  /**
   * Half of what a bare publisher and the slowest consumer carry side by side. Each alone keeps all cores busy, the broker's
   * part included, so that a message takes the time of both.
   */
  private async findHalfLoad(all: readonly ConsumerName[]): Promise<number> {
    const published = rateOf(await this.publish('amqplib', CALIBRATION, 1_000));
    const consumed: number[] = [];
    for (const consumer of all) {
      consumed.push(rateOf(await this.consume({ consumer, keys: KEYS, warmUp: CALIBRATION, messages: CALIBRATION })));
    }
    return Math.round(1 / (1 / published + 1 / Math.min(...consumed)) / 2);
  }
}

function wordingOf(consumer: ConsumerName): Wording {
  return consumer === 'nest' ? 'nest' : 'plain';
}

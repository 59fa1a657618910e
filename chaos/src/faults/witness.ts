import { connect, type Channel } from 'amqplib';
// The very names that the workers use.
import { QueueNames } from '../../../libs/rabbitmq/dist/topology/queue-names.js';

/** What is there by a name. */
export interface Seen {
  /** Ready ones, without what is delivered and unsettled. */
  readonly messages: number;
  readonly consumers: number;
}

/** Which queues the app has. */
export interface Layout {
  /** Of the broker itself, past all proxies. */
  readonly url: string;
  readonly prefix: string;
  readonly shards: number;
  readonly quorum: boolean;
  /** Where states are kept, if anywhere. */
  readonly store?: object | undefined;
}

/** Looks at the app's queues, and does to them what an operator could, past the app: each on a connection of its own. */
export class Witness {
  readonly names: QueueNames;

  constructor(readonly layout: Layout) {
    this.names = new QueueNames(layout.prefix);
  }

  async onChannel<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const model = await connect(this.layout.url);
    model.on('error', () => undefined);
    try {
      const channel = await model.createChannel();
      channel.on('error', () => undefined); // Whoever asks is told by the answer.
      return await work(channel);
    } finally {
      await model.close().catch(() => undefined);
    }
  }

  /** Returns `undefined` where there is no such queue. */
  queue(name: string): Promise<Seen | undefined> {
    return this.onChannel((channel) => channel.checkQueue(name)).then(
      ({ messageCount, consumerCount }) => ({ messages: messageCount, consumers: consumerCount }),
      () => undefined,
    );
  }

  /**
   * What is not there, or has nobody who serves it, each as a queue and what it lacks. A side queue is left out: that one is
   * deleted shows when something is to be moved there.
   */
  async lacking(): Promise<[queue: string, text: string][]> {
    const { names } = this;
    const found: [string, string][] = [];
    const check = async (queue: string, served: boolean): Promise<void> => {
      const seen = await this.queue(queue);
      if (seen === undefined) found.push([queue, 'is not there']);
      else if (served && seen.consumers === 0) found.push([queue, 'has nobody who reads it']);
    };
    for (const queue of [names.meta, names.application, names.deadLetters]) await check(queue, false);
    for (const queue of [names.members, names.coordinator]) await check(queue, true);
    for (let shard = 0; shard < this.layout.shards; shard++) {
      await check(names.shard(shard), true);
      await check(names.signals(shard), true);
    }
    return found;
  }
}

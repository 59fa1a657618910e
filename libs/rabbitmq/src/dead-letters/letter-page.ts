import type { Clock, Delivery, Timer } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import { closeChannel, closedChannel } from '../connection/channels.js';
import { letterOf } from './letter-of.js';

/** Messages of one page that are not removed: what is kept here at most, until it is asked for. */
export const PAGE = 1_000;

/**
 * How long messages that were there at the beginning are waited for when the queue says that it is empty: a quorum queue says so before
 * those that it has given away arrive (RabbitMQ 3.10). Milliseconds.
 */
const ON_ITS_WAY = 2_000;

/**
 * One consumer, on a channel of its own, that gets so many messages and no more. What is not removed goes back when the channel is closed, in its
 * order: of one consumer a quorum queue takes it back so; of many, or of many `basic.get`, in none (RabbitMQ 3.10).
 */
export class LetterPage {
  private waiting: ConsumeMessage[] = [];
  private readonly messages = new WeakMap<Delivery, ConsumeMessage>();
  private delivered = 0;
  private removed = 0;
  private tag = '';
  private stopped = false;
  private arrived: () => void = () => undefined;
  private lost: Error | undefined;

  constructor(
    private readonly channel: Channel,
    private readonly queue: string,
    private readonly clock: Clock,
  ) {}

  async begin(): Promise<void> {
    const { channel } = this;
    channel.on('close', () => this.end(closedChannel('the dead letters', channel)));
    await channel.prefetch(PAGE);
    const { consumerTag } = await channel.consume(this.queue, (message) => {
      if (message === null) this.end(new Error(`the queue ${this.queue} was deleted`));
      else this.deliver(message);
    });
    this.tag = consumerTag;
  }

  /** Whether it gets no more, unless some of it is removed. */
  get isFull(): boolean {
    return this.kept >= PAGE;
  }

  /** Messages that go back when it is closed. */
  get kept(): number {
    return this.delivered - this.removed;
  }

  /** Whether it gets no more, whatever is removed. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** The next of those that have arrived. */
  take(): Delivery | undefined {
    const message = this.waiting.shift();
    if (message === undefined) return undefined;
    const letter = letterOf(message);
    this.messages.set(letter, message);
    return letter;
  }

  /**
   * Resolves when something has arrived, or when there is nothing more: with `false`. To be asked only while something is expected.
   * @throws when the channel is lost
   */
  async more(): Promise<boolean> {
    while (this.waiting.length === 0) {
      if (this.lost !== undefined) throw this.lost;
      const arrival = new Promise<void>((resolve) => (this.arrived = resolve));
      // What a classic queue has given away by the time of its answer has arrived before it.
      const { messageCount } = await this.channel.checkQueue(this.queue);
      if (this.waiting.length > 0) break;
      if (messageCount > 0) await arrival;
      else if (!(await this.isWithin(ON_ITS_WAY, arrival))) return false;
    }
    return true;
  }

  /** @param time milliseconds */
  private async isWithin(time: number, arrival: Promise<void>): Promise<boolean> {
    let timer: Timer | undefined;
    const over = new Promise<boolean>((resolve) => (timer = this.clock.after(time, () => resolve(false))));
    const isThere = await Promise.race([arrival.then(() => true), over]);
    timer?.cancel();
    return isThere;
  }

  /** Gets nothing more; what has arrived stays to be taken. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await this.channel.cancel(this.tag).catch(() => undefined); // Its channel is gone, and the consumer with it.
  }

  /** Removes one that was taken here. Returns whether it was. */
  remove(letter: Delivery): boolean {
    const message = this.messages.get(letter);
    if (message === undefined) return false;
    this.channel.ack(message);
    this.removed++;
    return true;
  }

  /** The broker has got every ack then, and has the rest back. */
  close(): Promise<void> {
    return closeChannel(this.channel);
  }

  private deliver(message: ConsumeMessage): void {
    this.delivered++;
    this.waiting.push(message);
    this.arrived();
  }

  private end(error: Error): void {
    this.lost ??= error;
    this.arrived();
  }
}

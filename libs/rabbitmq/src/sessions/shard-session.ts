import type { LoggerService } from '@nestjs/common';
import { SessionEndedError } from '@mississippi/core';
import type {
  Clock,
  Delivery,
  MessageHeaders,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardReceiver,
  ShardSession,
} from '@mississippi/core/transport';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { closeChannel } from '../connection/channels.js';
import { within } from '../connection/timers.js';
import { reasonOf } from '../errors/reason.js';
import { isNack } from '../publishing/publish-errors.js';
import type { RabbitPublisher } from '../publishing/rabbit-publisher.js';
import type { ConsumerTags } from '../topology/consumer-tags.js';
import type { QueueNames } from '../topology/queue-names.js';
import { PARKED_HEADER } from '../wire/header-names.js';
import { RabbitDelivery } from '../wire/rabbit-delivery.js';
import { AckWindow } from './ack-window.js';
import { movedCopy } from '../publishing/moved-copy.js';
import { OpenRequests } from './open-requests.js';
import type { SideReader } from './side-reader.js';
import type { StallFence } from './stall-fence.js';

/**
 * How long closing waits for the channel; a broker that says nothing keeps nobody longer. It decides itself when the next owner begins,
 * so nothing is lost by not knowing. Milliseconds.
 */
export const CLOSE_TIMEOUT = 3_000;

/** What one epoch of a shard is made of. */
export interface SessionParts {
  readonly shard: number;
  readonly channel: ConfirmChannel;
  readonly side: SideReader;
  readonly publisher: RabbitPublisher;
  readonly names: QueueNames;
  readonly tags: ConsumerTags;
  readonly prefetch: number;
  /** What the channel's connection takes in one frame. Bytes. */
  readonly frameMax: number;
  readonly fence: StallFence;
  readonly clock: Clock;
  readonly logger: LoggerService;
  /** The broker did not answer when the channel was to be closed. */
  readonly unanswered: () => void;
  /** The epoch has ended, and the shard is free or will be at once. */
  readonly freed: (session: RabbitShardSession) => Promise<void>;
}

/** One epoch of one shard: a channel, its consumer and its acks. It ends with the channel. */
export class RabbitShardSession implements ShardSession {
  readonly shard: number;
  parked: readonly ParkedEntry[] = [];
  /** The core's side of the epoch, once it has been opened. */
  receiver: ShardReceiver | undefined;
  /** Nothing of the epoch can be settled any more. */
  ended = false;
  /** Why the epoch was lost, if it was. */
  lostBy: Error | undefined;
  private readonly acks: AckWindow;
  private readonly requests = new OpenRequests();
  /** What came before the receiver was there. */
  private early: RabbitDelivery[] = [];

  constructor(private readonly parts: SessionParts) {
    const { shard, channel, prefetch, names, clock } = parts;
    this.shard = shard;
    this.acks = new AckWindow(channel, Math.max(1, Math.floor(prefetch / 4)), clock);
    // A move found no queue. Its confirm comes after this, and finds the epoch ended; the next one declares the queue again.
    channel.on('return', () => {
      this.fail(new Error(`the side queue '${names.parked(shard)}' was deleted`));
    });
  }

  /** A message has come. */
  arrived(message: ConsumeMessage): void {
    if (this.ended) return;
    const delivery = new RabbitDelivery(message, false);
    this.acks.opened(delivery);
    if (this.receiver === undefined) this.early.push(delivery);
    else this.receiver.deliver(delivery);
  }

  /** A signal's request has come on the channel; see {@link OpenRequests.opened}. */
  requested(tag: number, returned: () => Promise<void>): () => void {
    const request = { tag, settled: false };
    if (!this.ended) this.acks.opened(request);
    return this.requests.opened(() => {
      try {
        this.acks.settleNow(request);
      } catch {
        // The channel closed in this moment: the next owner gets the request again, and refuses it.
      }
    }, returned);
  }

  /** Whether the core has closed it, or gave it up. An epoch that was lost was not given back. */
  get givenBack(): boolean {
    return this.ended && this.lostBy === undefined;
  }

  /** Deliveries go to the core from now on. Returns whether the epoch goes on: it may have ended while it was opened. */
  begin(receiver: ShardReceiver): boolean {
    if (this.ended) {
      if (this.lostBy !== undefined) receiver.lost(this.lostBy);
      return false;
    }
    this.receiver = receiver;
    for (const delivery of this.early.splice(0)) receiver.deliver(delivery);
    return true;
  }

  /** The epoch ends without our doing. */
  lose(cause: Error): void {
    if (this.ended) return;
    this.lostBy = cause;
    this.requests.drop();
    this.end();
    this.receiver?.lost(cause);
    void this.parts.freed(this);
  }

  /** The epoch cannot go on, and the core is to know. */
  fail(cause: Error): void {
    if (this.ended) return;
    this.lose(cause);
    void closeChannel(this.parts.channel);
  }

  isCertain(): boolean {
    return this.parts.fence.isCertain();
  }

  /** Rejects with the client's error when the broker did not answer. */
  verify(): Promise<void> {
    return this.parts.fence.verify();
  }

  settle(delivery: Delivery): void {
    if (this.ended) return;
    const rabbit = delivery as RabbitDelivery;
    if (rabbit.parked) this.parts.side.settle(rabbit);
    else this.acks.settle(rabbit);
  }

  /**
   * @throws {SessionEndedError} when the epoch has ended
   * @throws {PublishError} when the copy was returned or refused, or the transport was closed
   */
  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    this.check();
    const { publisher, names } = this.parts;
    const target = { queue: names.deadLetters, frameMax: publisher.frameMax, ordered: false };
    await publisher.submit(movedCopy(delivery, notes, target), Infinity);
    this.check();
    this.settle(delivery);
  }

  /**
   * @throws {SessionEndedError} when the epoch has ended; also by this move, which then failed
   * @throws {PublishError} when the transport was closed
   */
  async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    const { publisher, names, shard, frameMax } = this.parts;
    await publisher.probe();
    this.check();
    const target = { queue: names.parked(shard), frameMax, ordered: true };
    await this.move(movedCopy(delivery, { ...notes, [PARKED_HEADER]: mode }, target));
    this.check();
    this.settle(delivery);
  }

  readParked(key: Uint8Array | undefined): ParkedReader {
    return this.parts.side.read(key);
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.flush();
    this.end();
    await this.free();
  }

  /** The transport is closed, though the core has not given the epoch back. */
  async abandon(cause: Error): Promise<void> {
    if (this.ended) return;
    this.lostBy = cause;
    this.end();
    this.receiver?.lost(cause);
    await this.free();
  }

  giveUp(cause: Error): void {
    if (this.ended) return;
    this.requests.drop();
    this.end();
    this.parts.logger.warn(`Shard ${this.shard} was given up: ${reasonOf(cause)}`);
    void closeChannel(this.parts.channel).then(() => this.parts.freed(this));
  }

  private async free(): Promise<void> {
    await within(this.parts.clock, CLOSE_TIMEOUT, this.leave()).catch(() => this.parts.unanswered());
    await this.parts.freed(this);
  }

  /** What the broker had delivered when the channel closes would be marked as delivered before, and the next owner would refuse it. */
  private async leave(): Promise<void> {
    const { channel } = this.parts;
    try {
      await channel.cancel(this.parts.tags.signals(this.shard));
    } catch {
      this.requests.drop(); // The channel is gone.
      return;
    }
    const tell = this.requests.giveBack();
    await closeChannel(channel);
    await tell();
  }

  /** On the delivering channel, so that no move of an epoch that has ended can follow the next owner's reading. */
  private move({ exchange, queue, body, options }: ReturnType<typeof movedCopy>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.parts.channel.publish(exchange, queue, body, options, (error: unknown) => {
        if (error === null || error === undefined) {
          resolve();
          return;
        }
        const cause = isNack(error) ? refusedBy(queue) : (error as Error);
        reject(new SessionEndedError(this.shard, cause));
        this.fail(cause);
      });
    });
  }

  private end(): void {
    this.ended = true;
    this.early = [];
    this.acks.drop();
    this.parts.side.end();
  }

  private flush(): void {
    try {
      this.acks.flush();
      this.parts.side.flush();
    } catch {
      // The channel closed in this moment; what was not acked comes back.
    }
  }

  private check(): void {
    if (this.ended) throw new SessionEndedError(this.shard);
  }
}

function refusedBy(queue: string): Error {
  return new Error(
    `the side queue '${queue}' refuses messages: exempt it from policies that limit its length (max-length, overflow)`,
  );
}

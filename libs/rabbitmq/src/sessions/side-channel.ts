import type { Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConsumeMessage, GetMessage } from 'amqplib';
import { closeChannel, closedChannel, openChannel } from '../connection/channels.js';
import { pause } from '../connection/timers.js';
import { isInUse } from '../errors/reply-codes.js';
import { cancelledBy } from '../topology/disagreement.js';
import { RabbitDelivery } from '../wire/rabbit-delivery.js';
import { AckWindow } from './ack-window.js';
import type { ParkedIndex } from './parked-index.js';
import { ParkedDeliveries } from './parked-deliveries.js';

/** With so many settled deliveries the acks wait no longer. */
const MOST_ACKS = 50;

/**
 * Unsettled messages that a quorum queue gives to one consumer at most, if he asks for so many: the largest prefetch of AMQP. Who asks
 * for no limit gets 2,000 (rabbit_fifo_client, RabbitMQ 3.10 to 4.2), and whoever reads without settling waits for the next for ever.
 */
export const QUORUM_CREDIT = 65_535;

/** How many are asked for at once that a consumer is not given. */
const AT_ONCE = 200;

/** How long the queue may have another reader: that of the former owner goes at once. Milliseconds. */
export const STRANGER_TIMEOUT = 5_000;

/** What to do about a reader that stays. */
export function strangerAt(queue: string): string {
  return `the side queue '${queue}' has had another consumer for ${STRANGER_TIMEOUT / 1_000} s, and only the shard's owner may read it: end that consumer`;
}

/** A shard's side queue, and how it is reached. */
export interface SideQueueParts {
  readonly model: ChannelModel;
  readonly queue: string;
  readonly consumerTag: string;
  readonly clock: Clock;
  /** Unsettled messages that the queue gives to a consumer; `Infinity` for a classic queue. */
  readonly credit: number;
}

export interface SideChannelHooks {
  /** A delivery has come. */
  readonly arrived: () => void;
  /** Nothing more will come. */
  readonly failed: (cause: Error) => void;
}

/** One reading of a side queue, from its beginning: a channel that consumes exclusively, what came on it, and its acks. */
export class SideChannel {
  readonly deliveries = new ParkedDeliveries();
  private channel: Channel | undefined;
  private acks: AckWindow | undefined;
  private closed = false;

  constructor(
    private readonly parts: SideQueueParts,
    private readonly hooks: SideChannelHooks,
    /** Where only what there is is to be known: nothing else is kept, and nothing settled. */
    private readonly index?: ParkedIndex,
  ) {}

  /** Whether no more come until one of those that are here is settled. */
  get full(): boolean {
    return (this.index ?? this.deliveries).size >= this.parts.credit;
  }

  /**
   * Takes what is left one by one, once the channel is {@link full}. What is got that way would overtake what the consumer gets after
   * a settlement, so it is for a channel that settles nothing.
   */
  async takeRest(): Promise<void> {
    const { channel, acks } = this;
    for (;;) {
      const gets = Array.from({ length: AT_ONCE }, () => channel!.get(this.parts.queue));
      for (const message of await Promise.all(gets)) {
        if (message === false) return;
        this.arrived(acks!, message);
      }
    }
  }

  /** How many messages of the queue have not come, and will. */
  async left(): Promise<number> {
    return (await this.channel!.checkQueue(this.parts.queue)).messageCount;
  }

  /** Begins to read. Rejects when it is closed meanwhile. */
  async open(): Promise<void> {
    const { model, queue, clock } = this.parts;
    const deadline = clock.now() + STRANGER_TIMEOUT;
    for (;;) {
      try {
        await this.consume(await openChannel(model));
        return;
      } catch (error) {
        // The channel before, ours or a previous owner's, is gone for its holder but not yet for the queue.
        if (this.closed || !isInUse(error)) throw error;
        if (clock.now() >= deadline) throw new Error(strangerAt(queue), { cause: error });
      }
      await pause(clock, 20);
    }
  }

  /** Returns whether the delivery came on this channel and was not settled before. */
  settle(delivery: RabbitDelivery): boolean {
    if (!this.deliveries.remove(delivery)) return false;
    this.acks?.settle(delivery);
    return true;
  }

  flush(): void {
    this.acks?.flush();
  }

  /** Returns everything that is not settled to its place. */
  async close(): Promise<void> {
    const { channel, acks } = this;
    this.closed = true;
    if (channel === undefined) return;
    try {
      acks?.flush();
    } catch {
      // The channel is gone; what was not acked comes back.
    }
    acks?.drop();
    await closeChannel(channel);
  }

  private async consume(channel: Channel): Promise<void> {
    const { queue, consumerTag, clock, credit } = this.parts;
    if (this.closed) {
      await closeChannel(channel); // Nobody else would.
      throw new Error('it was closed while it opened');
    }
    let consuming = false;
    channel.on('close', () => {
      if (consuming && !this.closed) this.hooks.failed(closedChannel(`the side queue '${queue}'`, channel));
    });
    this.channel = channel;
    const acks = new AckWindow(channel, MOST_ACKS, clock);
    this.acks = acks;
    if (credit !== Infinity) await channel.prefetch(credit);
    await channel.consume(queue, (message) => this.arrived(acks, message), { exclusive: true, consumerTag });
    consuming = true;
  }

  private arrived(acks: AckWindow, message: ConsumeMessage | GetMessage | null): void {
    if (this.closed) return;
    if (message === null) {
      this.hooks.failed(cancelledBy(this.parts.queue));
      return;
    }
    const delivery = new RabbitDelivery(message, true);
    if (this.index === undefined) {
      acks.opened(delivery);
      this.deliveries.add(delivery);
    } else {
      this.index.add(delivery);
    }
    this.hooks.arrived();
  }
}

import { SessionEndedError, type MessageHeaders } from '@mississippi/core';
import type {
  Delivery,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardReceiver,
  ShardSession,
} from '@mississippi/core/transport';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { AckWindow } from './ack-window.js';
import { within } from './broker-connection.js';
import { headerTable } from './headers.js';
import { asBuffer, type RabbitPublisher } from './publisher.js';
import { RabbitDelivery } from './rabbit-delivery.js';
import type { SideReader } from './side-reader.js';
import type { StallFence } from './stall-fence.js';
import { closeChannel, type Topology } from './topology.js';

/** Tells why a message is in the side queue: `held` or `pressure`. */
export const PARKED_HEADER = 'mississippi_parked';

/** How long a channel may take to close before its connection is given up. Milliseconds. */
const CLOSE_TIMEOUT = 5_000;

/** What one epoch of a shard is made of. */
export interface SessionParts {
  readonly shard: number;
  readonly channel: ConfirmChannel;
  readonly side: SideReader;
  readonly publisher: RabbitPublisher;
  readonly topology: Topology;
  readonly prefetch: number;
  readonly fence: StallFence;
  /** The channel is closed and the shard is free. */
  readonly freed: (session: RabbitShardSession) => Promise<void>;
}

/** One epoch of one shard: a channel, its consumer and its acks. It ends with the channel. */
export class RabbitShardSession implements ShardSession {
  readonly shard: number;
  parked: readonly ParkedEntry[] = [];
  receiver: ShardReceiver | undefined;
  private readonly acks: AckWindow;
  /** What came before the receiver was there. */
  private early: RabbitDelivery[] = [];
  private ended = false;
  private lostBy: Error | undefined;
  private closing = false;

  constructor(private readonly parts: SessionParts) {
    this.shard = parts.shard;
    this.acks = new AckWindow(parts.channel, Math.max(1, Math.floor(parts.prefetch / 4)));
    // A move found no queue. Its confirm comes after this, and finds the epoch ended; the next one declares the queue again.
    parts.channel.on('return', () => {
      this.fail(new Error(`the side queue '${parts.topology.parked(parts.shard)}' was deleted`));
    });
  }

  /** Whether the core has closed it. An epoch that was lost was not given back. */
  get givenBack(): boolean {
    return this.closing;
  }

  /** Deliveries go to the core from now on. Returns whether the epoch goes on. */
  begin(receiver: ShardReceiver): boolean {
    if (this.ended || this.closing) {
      receiver.lost(this.lostBy ?? new Error('the shard was given back while it was opened'));
      return false;
    }
    this.receiver = receiver;
    for (const delivery of this.early.splice(0)) receiver.deliver(delivery);
    return true;
  }

  arrived(message: ConsumeMessage): void {
    if (this.ended || this.closing) return;
    const delivery = new RabbitDelivery(message, false);
    this.acks.opened(delivery);
    if (this.receiver === undefined) this.early.push(delivery);
    else this.receiver.deliver(delivery);
  }

  isCertain(): boolean {
    return this.parts.fence.isCertain();
  }

  verify(): Promise<void> {
    return this.parts.fence.verify();
  }

  settle(delivery: Delivery): void {
    if (this.ended) return;
    const rabbit = delivery as RabbitDelivery;
    if (rabbit.parked) this.parts.side.settle(rabbit);
    else this.acks.settle(rabbit);
  }

  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    this.check();
    const { publisher, topology } = this.parts;
    await publisher.submit({ ...this.copy(delivery, notes), queue: topology.deadLetters }, Infinity);
    this.check();
    this.settle(delivery);
  }

  async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    await this.parts.publisher.taking();
    this.check();
    const { channel, topology, shard } = this.parts;
    const { body, options } = this.copy(delivery, { ...notes, [PARKED_HEADER]: mode });
    await new Promise<void>((resolve, reject) => {
      // On the delivering channel, so that no move of an epoch that has ended can follow the next owner's reading.
      channel.publish('', topology.parked(shard), body, options, (error: unknown) => {
        if (error === null || error === undefined) {
          resolve();
          return;
        }
        const cause = error instanceof Error ? error : new Error('a move to the side queue was refused');
        reject(new SessionEndedError(shard, cause));
        this.fail(cause);
      });
    });
    this.check();
    this.settle(delivery);
  }

  readParked(key: Uint8Array): ParkedReader {
    return this.parts.side.read(key);
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.closing = true;
    this.flush();
    await this.finish();
  }

  /** The epoch ends without our doing. */
  lose(cause: Error): void {
    if (this.ended || this.closing) return;
    this.lostBy = cause;
    this.stop();
    this.receiver?.lost(cause);
    void this.parts.freed(this);
  }

  /** The epoch cannot go on, and the core is to know. */
  fail(cause: Error): void {
    if (this.ended) return;
    this.lose(cause);
    void closeChannel(this.parts.channel);
  }

  giveUp(_cause: Error): void {
    if (this.ended || this.closing) return;
    this.stop();
    void closeChannel(this.parts.channel).then(() => this.parts.freed(this));
  }

  private stop(): void {
    this.ended = true;
    this.acks.drop();
    this.parts.side.end();
  }

  flush(): void {
    try {
      this.acks.flush();
      this.parts.side.flush();
    } catch {
      // The channel closed in this moment; what was not acked comes back.
    }
  }

  private async finish(): Promise<void> {
    this.ended = true;
    this.parts.side.end();
    await within(CLOSE_TIMEOUT, closeChannel(this.parts.channel)).catch(() => undefined);
    this.acks.drop();
    await this.parts.freed(this);
  }

  private copy(delivery: Delivery, notes: MessageHeaders): { exchange: string; body: Buffer; options: object } {
    const { key, headers, messageId, timestamp, body } = delivery;
    return {
      exchange: '',
      body: asBuffer(body),
      options: {
        headers: headerTable(key, headers, notes),
        persistent: true,
        // A queue that somebody deleted must not swallow it.
        mandatory: true,
        ...(messageId === undefined ? {} : { messageId }),
        ...(timestamp === undefined ? {} : { timestamp }),
      },
    };
  }

  private check(): void {
    if (this.ended) throw new SessionEndedError(this.shard);
  }
}

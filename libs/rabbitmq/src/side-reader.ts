import { SessionEndedError } from '@mississippi/core';
import { canonicalKey, type Delivery, type ParkedEntry, type ParkedReader } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { AckWindow } from './ack-window.js';
import { RabbitDelivery } from './rabbit-delivery.js';
import { PARKED_HEADER } from './shard-session.js';
import { closeChannel } from './topology.js';

/** How long deliveries are kept at hand after the last reader closed: a key in backoff reads again soon. Milliseconds. */
const LINGER = 15_000;
const ACCESS_REFUSED = 403;

const idOf = (key: Uint8Array): string => Buffer.from(canonicalKey(key)).toString('latin1');

/** Only the library writes to a side queue; what somebody else put there has no key, and stays. */
function idOfDelivery(delivery: RabbitDelivery): string {
  try {
    return delivery.key === undefined ? '' : idOf(delivery.key);
  } catch {
    return '';
  }
}

/**
 * Reads a shard's side queue on a channel of its own, exclusively. Nothing may sit on a delivery until the broker's
 * delivery time-out ends the channel, so the channel is open only while somebody reads, and is renewed now and then;
 * closing it returns everything to its place.
 */
export class SideReader {
  private channel: Channel | undefined;
  private opening: Promise<void> | undefined;
  private acks: AckWindow | undefined;
  private readonly byKey = new Map<string, Set<RabbitDelivery>>();
  private readonly readers = new Set<KeyReader>();
  private renewal: NodeJS.Timeout | undefined;
  private lingering: NodeJS.Timeout | undefined;
  private closing: Promise<void> = Promise.resolve();
  /** Counts how often it was shut. */
  private turn = 0;
  private ended = false;
  private onArrival: (() => void) | undefined;
  private onEnd: ((error: Error) => void) | undefined;

  constructor(
    private readonly model: ChannelModel,
    private readonly queue: string,
    private readonly shard: number,
    private readonly deliveryTimeout: number,
    private readonly failed: (cause: Error) => void,
  ) {}

  /** Reads everything that is there and leaves it. `count` is exact, because nobody else reads or writes the queue. */
  async index(count: number): Promise<ParkedEntry[]> {
    if (count === 0) return [];
    await this.open();
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (this.size() >= count) resolve();
      };
      this.onArrival = check;
      this.onEnd = reject;
      if (this.ended) reject(new SessionEndedError(this.shard));
      check();
    });
    this.onArrival = undefined;
    this.onEnd = undefined;
    const found = [...this.byKey].flatMap(([id, deliveries]) => [...deliveries].map((delivery) => ({ id, delivery })));
    await this.shut();
    return found
      .filter(({ id }) => id !== '')
      .sort((a, b) => a.delivery.tag - b.delivery.tag)
      .map(({ id, delivery: { headers } }) => ({
        key: Buffer.from(id, 'latin1'),
        mode: headers[PARKED_HEADER] === 'pressure' ? 'pressure' : 'held',
        notes: headers,
      }));
  }

  read(key: Uint8Array): ParkedReader {
    const reader = new KeyReader(this, idOf(key));
    this.readers.add(reader);
    return reader;
  }

  /** The key's first delivery that is not settled. */
  first(id: string): RabbitDelivery | undefined {
    return this.byKey.get(id)?.values().next().value;
  }

  /** Makes sure that deliveries come. */
  want(): void {
    const opening = this.open();
    opening.catch((error: unknown) => {
      // What was shut meanwhile was no longer wanted.
      if (this.opening === opening) this.failed(error as Error);
    });
  }

  settle(delivery: RabbitDelivery): void {
    const id = idOfDelivery(delivery);
    const deliveries = this.byKey.get(id);
    if (this.ended || deliveries?.delete(delivery) !== true) return;
    if (deliveries.size === 0) this.byKey.delete(id);
    this.acks?.settle(delivery);
    for (const reader of this.readers) reader.look();
  }

  closed(reader: KeyReader): void {
    this.readers.delete(reader);
    if (this.readers.size > 0 || this.ended) return;
    clearTimeout(this.lingering);
    this.lingering = setTimeout(() => {
      if (this.readers.size === 0) void this.shut();
    }, LINGER).unref();
  }

  flush(): void {
    this.acks?.flush();
  }

  /** @throws {SessionEndedError} when the epoch is over */
  check(): void {
    if (this.ended) throw new SessionEndedError(this.shard);
  }

  end(): void {
    this.ended = true;
    this.onEnd?.(new SessionEndedError(this.shard));
    for (const reader of this.readers) reader.end(new SessionEndedError(this.shard));
    this.readers.clear();
    void this.shut();
  }

  private size(): number {
    let size = 0;
    for (const deliveries of this.byKey.values()) size += deliveries.size;
    return size;
  }

  private open(): Promise<void> {
    this.opening ??= this.consume(this.turn);
    return this.opening;
  }

  private async consume(turn: number): Promise<void> {
    await this.closing;
    for (;;) {
      this.check();
      try {
        const channel = await this.model.createChannel();
        if (this.turn !== turn) {
          // It was shut while the channel opened, and nobody else would close it.
          await closeChannel(channel);
          throw new SessionEndedError(this.shard);
        }
        await this.attach(channel);
        break;
      } catch (error) {
        // The channel before, ours or a former owner's, is gone for its holder but not yet for the queue.
        if (Reflect.get(error as object, 'code') !== ACCESS_REFUSED) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    this.renewal = setTimeout(() => void this.renew(), this.deliveryTimeout / 3).unref();
  }

  private async attach(channel: Channel): Promise<void> {
    let attached = false;
    channel.on('error', () => undefined); // 'close' follows.
    channel.on('close', () => {
      if (attached && this.channel === channel)
        this.failed(new Error(`the channel of the side queue '${this.queue}' was closed`));
    });
    this.channel = channel;
    const acks = new AckWindow(channel, 50);
    this.acks = acks;
    await channel.consume(this.queue, (message) => this.arrived(channel, acks, message), { exclusive: true });
    attached = true;
  }

  private arrived(channel: Channel, acks: AckWindow, message: ConsumeMessage | null): void {
    if (this.channel !== channel) return;
    if (message === null) {
      this.failed(new Error(`the side queue '${this.queue}' was deleted`));
      return;
    }
    const delivery = new RabbitDelivery(message, true);
    acks.opened(delivery);
    const id = idOfDelivery(delivery);
    const deliveries = this.byKey.get(id);
    if (deliveries === undefined) this.byKey.set(id, new Set([delivery]));
    else deliveries.add(delivery);
    this.onArrival?.();
    for (const reader of this.readers) reader.look();
  }

  /** Gives everything back and reads anew, unless a delivery is in use: then a little later. */
  private async renew(): Promise<void> {
    if ([...this.readers].some((reader) => reader.busy)) {
      this.renewal = setTimeout(() => void this.renew(), 1_000).unref();
      return;
    }
    await this.shut();
    if (!this.ended && this.readers.size > 0) this.want();
  }

  private shut(): Promise<void> {
    const { channel, acks } = this;
    clearTimeout(this.renewal);
    clearTimeout(this.lingering);
    this.channel = undefined;
    this.opening = undefined;
    this.turn++;
    this.byKey.clear();
    if (channel !== undefined) this.closing = settleAndClose(channel, acks);
    return this.closing;
  }
}

async function settleAndClose(channel: Channel, acks: AckWindow | undefined): Promise<void> {
  try {
    acks?.flush();
  } catch {
    // The channel is gone; what was not acked comes back.
  }
  acks?.drop();
  await closeChannel(channel);
}

class KeyReader implements ParkedReader {
  private waiting: { resolve: (delivery: Delivery) => void; reject: (error: Error) => void } | undefined;
  private handed: RabbitDelivery | undefined;

  constructor(
    private readonly side: SideReader,
    private readonly id: string,
  ) {}

  /** Whether a delivery was handed out and is not settled. */
  get busy(): boolean {
    return this.handed !== undefined && !this.handed.settled;
  }

  next(): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      this.side.check();
      this.waiting = { resolve, reject };
      this.side.want();
      this.look();
    });
  }

  look(): void {
    const delivery = this.waiting === undefined ? undefined : this.side.first(this.id);
    if (delivery === undefined) return;
    this.handed = delivery;
    this.waiting!.resolve(delivery);
    this.waiting = undefined;
  }

  end(error: Error): void {
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  close(): void {
    this.handed = undefined;
    this.end(new Error('the reader was closed'));
    this.side.closed(this);
  }
}

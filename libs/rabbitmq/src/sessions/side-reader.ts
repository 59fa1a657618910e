import { SessionEndedError } from '@mississippi/core';
import type { ParkedEntry, ParkedReader, Timer } from '@mississippi/core/transport';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';
import { KeyReader, type KeySource } from './key-reader.js';
import { idOf } from './parked-deliveries.js';
import { SideChannel, type SideQueueParts } from './side-channel.js';

/** How long deliveries are kept at hand after the last reader closed: a key in backoff reads again soon. Milliseconds. */
const LINGER = 15_000;

/** How long a renewal is put off while a delivery is in use. Milliseconds. */
const RENEW_LATER = 1_000;

export interface SideReaderParts extends SideQueueParts {
  readonly shard: number;
  /** Milliseconds after which the broker takes a delivery back. */
  readonly deliveryTimeout: number;
  /** The side queue cannot be read any more. */
  readonly failed: (cause: Error) => void;
}

/**
 * Reads a shard's side queue on a channel of its own, exclusively. Nothing may sit on a delivery until the broker's
 * delivery time-out ends the channel, so the channel is open only while somebody reads, and is renewed now and then;
 * closing it returns everything to its place.
 */
export class SideReader implements KeySource {
  private channel: SideChannel | undefined;
  private readonly readers = new Set<KeyReader>();
  private renewal: Timer | undefined;
  private lingering: Timer | undefined;
  /** The end of the channel before. */
  private closing: Promise<void> = Promise.resolve();
  private ended = false;
  private onArrival: (() => void) | undefined;
  private onEnd: ((error: Error) => void) | undefined;

  constructor(private readonly parts: SideReaderParts) {}

  /** Reads everything that is there and leaves it. `count` is exact, because nobody else reads or writes the queue. */
  async index(count: number): Promise<ParkedEntry[]> {
    if (count === 0) return [];
    this.check();
    const channel = this.newChannel();
    await this.open(channel);
    await new Promise<void>((resolve, reject) => {
      this.onArrival = () => {
        if (channel.deliveries.size >= count) resolve();
      };
      this.onEnd = reject;
      if (this.ended) reject(this.endedError());
      this.onArrival();
    });
    this.onArrival = undefined;
    this.onEnd = undefined;
    const entries = channel.deliveries.entries();
    await this.shut();
    return entries;
  }

  /** @param key `undefined` for what has none that can be read */
  read(key: Uint8Array | undefined): ParkedReader {
    const reader = new KeyReader(this, idOf(key));
    this.readers.add(reader);
    return reader;
  }

  first(id: string): RabbitDelivery | undefined {
    return this.channel?.deliveries.first(id);
  }

  want(): void {
    if (this.channel !== undefined) return;
    const channel = this.newChannel();
    this.open(channel).catch((error: unknown) => {
      // What was shut meanwhile is no longer wanted.
      if (this.channel === channel) this.parts.failed(error as Error);
    });
  }

  settle(delivery: RabbitDelivery): void {
    if (this.channel?.settle(delivery) === true) this.look();
  }

  closed(reader: KeyReader): void {
    this.readers.delete(reader);
    if (this.readers.size > 0 || this.ended) return;
    const leave = (): void => {
      if (this.readers.size === 0) void this.shut();
    };
    this.lingering?.cancel();
    this.lingering = this.parts.clock.after(LINGER, leave, true);
  }

  flush(): void {
    this.channel?.flush();
  }

  check(): void {
    if (this.ended) throw this.endedError();
  }

  end(): void {
    this.ended = true;
    this.onEnd?.(this.endedError());
    for (const reader of this.readers) reader.end(this.endedError());
    this.readers.clear();
    void this.shut();
  }

  private newChannel(): SideChannel {
    const channel = new SideChannel(this.parts, {
      arrived: () => {
        this.onArrival?.();
        this.look();
      },
      failed: (cause) => this.parts.failed(cause),
    });
    this.channel = channel;
    return channel;
  }

  private async open(channel: SideChannel): Promise<void> {
    await this.closing;
    await channel.open();
    if (this.channel === channel) this.renewIn(this.parts.deliveryTimeout / 3);
  }

  private look(): void {
    for (const reader of this.readers) reader.look();
  }

  private renewIn(delay: number): void {
    this.renewal = this.parts.clock.after(delay, () => void this.renew(), true);
  }

  /** Gives everything back and reads anew, unless a delivery is in use: then a little later. */
  private async renew(): Promise<void> {
    if ([...this.readers].some((reader) => reader.busy)) {
      this.renewIn(RENEW_LATER);
      return;
    }
    await this.shut();
    if (!this.ended && this.readers.size > 0) this.want();
  }

  private shut(): Promise<void> {
    const { channel } = this;
    this.renewal?.cancel();
    this.lingering?.cancel();
    this.channel = undefined;
    if (channel !== undefined) this.closing = channel.close();
    return this.closing;
  }

  private endedError(): SessionEndedError {
    return new SessionEndedError(this.parts.shard);
  }
}

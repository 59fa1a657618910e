import { SessionEndedError } from '@mississippi/core';
import type { ParkedEntry, ParkedReader, Timer } from '@mississippi/core/transport';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';
import { KeyReader, type KeySource } from './key-reader.js';
import { every } from '../connection/timers.js';
import { idOf } from './parked-deliveries.js';
import { ParkedIndex } from './parked-index.js';
import { SideChannel, type SideQueueParts } from './side-channel.js';

/** How long deliveries are kept at hand after the last reader closed: a key in backoff reads again soon. Milliseconds. */
const LINGER = 15_000;

/** How often it is asked whether what a reader waits for is there at all. Milliseconds. */
const WATCH = 1_000;

export interface SideReaderParts extends SideQueueParts {
  readonly shard: number;
  /** Milliseconds after which the broker takes a delivery back. */
  readonly deliveryTimeout: number;
  /** The side queue cannot be read any more. */
  readonly failed: (cause: Error) => void;
  /** What is read lies behind so many messages of other keys that it does not come before some of them are settled. */
  readonly crowded: () => void;
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
  /** The channel is to be renewed as soon as no delivery of it is in use; none is handed out any more. */
  private renewing = false;
  private lingering: Timer | undefined;
  /** The end of the channel before. */
  private closing: Promise<void> = Promise.resolve();
  private ended = false;
  private onArrival: (() => void) | undefined;
  private onEmpty: (() => void) | undefined;
  private watch: Timer | undefined;
  /** What was waited for when the queue had nothing more. */
  private suspects: ReadonlySet<object> = new Set();
  private onEnd: ((error: Error) => void) | undefined;

  constructor(private readonly parts: SideReaderParts) {}

  /**
   * Reads everything that is there and leaves it. Nobody else reads or writes the queue, so `count` is exact, unless a policy
   * lets messages expire meanwhile.
   */
  async index(count: number): Promise<ParkedEntry[]> {
    if (count === 0) return [];
    this.check();
    const index = new ParkedIndex();
    const channel = this.newChannel(index);
    await this.open(channel);
    await new Promise<void>((resolve, reject) => {
      let resting = false;
      this.onArrival = () => {
        if (index.size >= count) resolve();
        else if (channel.full && !resting) {
          resting = true;
          channel.takeRest().then(resolve, reject);
        }
      };
      this.onEmpty = resolve;
      this.onEnd = reject;
      if (this.ended) reject(this.endedError());
      this.onArrival();
    });
    this.onArrival = undefined;
    this.onEmpty = undefined;
    this.onEnd = undefined;
    await this.shut();
    return index.entries;
  }

  /** @param key `undefined` for what has none that can be read */
  read(key: Uint8Array | undefined): ParkedReader {
    const reader = new KeyReader(this, idOf(key));
    this.readers.add(reader);
    return reader;
  }

  first(id: string): RabbitDelivery | undefined {
    return this.renewing ? undefined : this.channel?.deliveries.first(id);
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
    if (this.channel?.settle(delivery) !== true) return;
    this.renew();
    this.look();
  }

  closed(reader: KeyReader): void {
    this.readers.delete(reader);
    this.renew();
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

  private newChannel(index?: ParkedIndex): SideChannel {
    const hooks = {
      arrived: () => {
        this.onArrival?.();
        this.look();
      },
      failed: (cause: Error) => this.parts.failed(cause),
    };
    const channel = new SideChannel(this.parts, hooks, index);
    this.channel = channel;
    return channel;
  }

  /**
   * A message that was there may be there no longer: a policy let it expire, or made room for another. Whoever waits, though
   * nothing was left to come at the look before, would wait for ever.
   */
  private async lookForLosses(channel: SideChannel): Promise<void> {
    if (this.renewing) return; // What is waited for is there, and comes again.
    const { suspects } = this;
    const waits = this.waits();
    this.suspects = new Set();
    if (waits.some((wait) => suspects.has(wait))) {
      if (this.onEmpty !== undefined) this.onEmpty();
      else this.parts.failed(lossOf(this.parts.queue));
    } else if (waits.length > 0) {
      const left = await channel.left();
      if (this.channel !== channel) return;
      if (left === 0) this.suspects = new Set(waits);
      else if (channel.full) this.parts.crowded();
    }
  }

  /** What is waited for at present, each an object of its own. */
  private waits(): object[] {
    if (this.onEmpty !== undefined) return [this.onEmpty];
    return [...this.readers].flatMap(({ wait }) => (wait === undefined ? [] : [wait]));
  }

  private async open(channel: SideChannel): Promise<void> {
    await this.closing;
    await channel.open();
    if (this.channel !== channel) return;
    this.renewIn(this.parts.deliveryTimeout / 3);
    const look = (): void => {
      this.lookForLosses(channel).catch(() => undefined); // The channel has gone, and says so itself.
    };
    this.watch = every(this.parts.clock, WATCH, look, true);
  }

  private look(): void {
    for (const reader of this.readers) reader.look();
  }

  private renewIn(delay: number): void {
    const due = (): void => {
      this.renewing = true;
      this.renew();
    };
    this.renewal = this.parts.clock.after(delay, due, true);
  }

  /** Gives everything back and reads anew, where that is due and no delivery is in use. */
  private renew(): void {
    if (!this.renewing || [...this.readers].some((reader) => reader.busy)) return;
    void this.shut();
    if (!this.ended && this.readers.size > 0) this.want();
  }

  private shut(): Promise<void> {
    const { channel } = this;
    this.renewal?.cancel();
    this.lingering?.cancel();
    this.watch?.cancel();
    this.suspects = new Set();
    this.renewing = false;
    this.channel = undefined;
    if (channel !== undefined) this.closing = channel.close();
    return this.closing;
  }

  private endedError(): SessionEndedError {
    return new SessionEndedError(this.parts.shard);
  }
}

function lossOf(queue: string): Error {
  return new Error(
    `messages have vanished from the side queue '${queue}': exempt it from policies (message-ttl, expires, max-length), and let nobody else read it`,
  );
}

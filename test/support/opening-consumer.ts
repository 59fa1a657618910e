import type { Delivery, ShardConsumer, ShardReceiver, ShardSession } from '@mississippi/core/transport';
import { Changes } from './changes.js';

/** One epoch, from the transport's call on; the test decides when it is open, if ever. */
export class Opening extends Changes implements ShardReceiver {
  readonly deliveries: Delivery[] = [];
  /** What the transport said when the epoch was lost, each time that it did. */
  readonly lostBy: Error[] = [];
  readonly calledAt = performance.now();
  readonly receiver: Promise<ShardReceiver>;
  private answer!: (receiver: ShardReceiver) => void;
  /** The opening fails. */
  refuse!: (error: Error) => void;

  constructor(
    readonly session: ShardSession,
    readonly epoch: number,
  ) {
    super();
    this.receiver = new Promise((resolve, reject) => {
      this.answer = resolve;
      this.refuse = reject;
    });
  }

  /** The opening succeeds. */
  accept(): void {
    this.answer(this);
  }

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery);
    this.changed();
  }

  lost(cause: Error): void {
    this.lostBy.push(cause);
    this.changed();
  }

  signal(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(0));
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves with the message ids of the first so many deliveries. */
  async received(count: number): Promise<(string | undefined)[]> {
    const state = (): string => `(${this.deliveries.length} were)`;
    await this.until(`${count} messages were delivered`, () => this.deliveries.length >= count, 20_000, state);
    return this.deliveries.map(({ messageId }) => messageId);
  }

  /** Resolves when the transport has said that the epoch was lost. */
  wasLost(): Promise<void> {
    return this.until(`shard ${this.session.shard} was lost`, () => this.lostBy.length > 0);
  }
}

/** A consumer whose openings wait for the test. */
export class OpeningConsumer extends Changes implements ShardConsumer {
  readonly openings: Opening[] = [];

  open(session: ShardSession): Promise<ShardReceiver> {
    const opening = new Opening(session, this.openings.length + 1);
    this.openings.push(opening);
    this.changed();
    return opening.receiver;
  }

  /** Resolves with the first opening of a shard, or with a later one. */
  async opening(shard: number, which = 1): Promise<Opening> {
    const found = (): Opening | undefined => this.openings.filter(({ session }) => session.shard === shard)[which - 1];
    await this.until(`shard ${shard} was opened, time ${which}`, () => found() !== undefined);
    return found()!;
  }
}

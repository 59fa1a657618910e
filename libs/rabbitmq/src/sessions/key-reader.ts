import type { Delivery, ParkedReader } from '@mississippi/core/transport';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** Where a reader finds its key's deliveries. */
export interface KeySource {
  /** The key's first delivery that is not settled. */
  first(id: string): RabbitDelivery | undefined;
  /** Makes sure that deliveries come. */
  want(): void;
  /** @throws {SessionEndedError} when the epoch is over */
  check(): void;
  /** The reader needs nothing any more. */
  closed(reader: KeyReader): void;
}

/** Reads one key's messages out of the side queue. */
export class KeyReader implements ParkedReader {
  private waiting: { resolve: (delivery: Delivery) => void; reject: (error: Error) => void } | undefined;
  private handed: RabbitDelivery | undefined;

  constructor(
    private readonly source: KeySource,
    private readonly id: string,
  ) {}

  /** Whether a delivery was handed out and is not settled. */
  get busy(): boolean {
    return this.handed !== undefined && !this.handed.settled;
  }

  /** The present wait for a delivery, if any. */
  get wait(): object | undefined {
    return this.waiting;
  }

  /** @throws {SessionEndedError} when the epoch ends */
  next(): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      this.source.check();
      this.waiting = { resolve, reject };
      this.source.want();
      this.look();
    });
  }

  /** Something may have come. */
  look(): void {
    const delivery = this.waiting === undefined ? undefined : this.source.first(this.id);
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
    this.source.closed(this);
  }
}

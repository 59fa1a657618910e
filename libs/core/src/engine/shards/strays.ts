import { keyBytes, keyId } from '../../keys/sharding-key.js';
import type { Delivery, ParkedReader } from '../../transport/transport.interface.js';
import type { Epoch } from '../messages/epoch.js';
import { routeOf } from './routing.js';

/** What a transport found no key in, and the core does. */
const MISTAKEN = { reason: 'key_undecodable', error: new Error('the transport cannot read the sharding key') } as const;

/** Stands for all messages without a key that can be read. */
const NO_KEY = '';

/**
 * What lies in the shard's side queue and belongs to no key of the shard, because somebody else put it there. It is
 * dead-lettered, one message after the other, while the keys of the shard go on.
 */
export class Strays {
  /** How many there are of each key. */
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly epoch: Epoch,
    private readonly totalCount: number,
  ) {}

  /** @param key canonical */
  found(key: Uint8Array | undefined): void {
    const id = key === undefined ? NO_KEY : keyId(key);
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
  }

  /** Sets aside what was found. */
  setAside(): void {
    for (const [id, count] of this.counts) {
      const reader = this.epoch.session.readParked(id === NO_KEY ? undefined : keyBytes(id));
      this.next(reader, count);
    }
    this.counts.clear();
  }

  private next(reader: ParkedReader, left: number): void {
    const { epoch } = this;
    if (left === 0) {
      reader.close();
      return;
    }
    reader.next().then(
      (delivery) => {
        if (epoch.phase !== 'open') return; // It stays, and the next owner finds it.
        epoch.deadLetters.send(this.letterOf(delivery), {
          settled: () => {
            epoch.side.freed();
            this.next(reader, left - 1);
          },
        });
      },
      () => undefined, // The epoch has ended; what is left stays in the side queue.
    );
  }

  private letterOf(delivery: Delivery) {
    const route = routeOf(delivery.key, this.epoch.shard, this.totalCount);
    const { reason, error } = route.key === undefined ? route : MISTAKEN;
    return { key: undefined, keyBytes: delivery.key, delivery, reason, error, attempts: 0 };
  }
}

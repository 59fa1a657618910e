import { canonicalKey, keyId } from '@mississippi/core/transport';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** What has no key that can be read counts as having one key together, which no key has. */
export const NO_KEY = '';

/** One name for a key, whichever spelling of it is given. */
export function idOf(key: Uint8Array | undefined): string {
  return key === undefined ? NO_KEY : keyId(canonicalKey(key));
}

/** What was read of a side queue and is not settled: by key, each key's in order. */
export class ParkedDeliveries {
  private readonly byKey = new Map<string, Set<RabbitDelivery>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(delivery: RabbitDelivery): void {
    const id = idOfDelivery(delivery);
    const deliveries = this.byKey.get(id);
    if (deliveries === undefined) this.byKey.set(id, new Set([delivery]));
    else deliveries.add(delivery);
    this.count++;
  }

  /** Returns whether it was there. */
  remove(delivery: RabbitDelivery): boolean {
    const id = idOfDelivery(delivery);
    const deliveries = this.byKey.get(id);
    if (deliveries?.delete(delivery) !== true) return false;
    if (deliveries.size === 0) this.byKey.delete(id);
    this.count--;
    return true;
  }

  /** The key's first. */
  first(id: string): RabbitDelivery | undefined {
    return this.byKey.get(id)?.values().next().value;
  }
}

/** The name of a delivery's key. */
export function idOfDelivery({ key }: RabbitDelivery): string {
  try {
    return idOf(key);
  } catch {
    return NO_KEY;
  }
}

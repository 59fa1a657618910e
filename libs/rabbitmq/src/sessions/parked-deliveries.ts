import { canonicalKey, keyId, type ParkedEntry } from '@mississippi/core/transport';
import { PARKED_HEADER } from '../wire/header-names.js';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** What has no key that can be read counts as having one key together, which no key has. */
const NO_KEY = '';

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

  /** All of them, in the order in which they were moved there. */
  entries(): ParkedEntry[] {
    const found = [...this.byKey].flatMap(([id, deliveries]) => [...deliveries].map((delivery) => ({ id, delivery })));
    return found
      .sort((a, b) => a.delivery.tag - b.delivery.tag)
      .map(({ id, delivery: { headers } }) => ({
        key: id === NO_KEY ? undefined : Buffer.from(id, 'latin1'),
        mode: headers[PARKED_HEADER] === 'pressure' ? 'pressure' : 'held',
        notes: headers,
      }));
  }
}

function idOfDelivery({ key }: RabbitDelivery): string {
  try {
    return idOf(key);
  } catch {
    return NO_KEY;
  }
}

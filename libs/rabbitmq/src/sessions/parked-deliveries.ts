import { canonicalKey, keyId, type ParkedEntry } from '@mississippi/core/transport';
import { PARKED_HEADER } from '../wire/header-names.js';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';

/** One name for a key, whichever spelling of it is given. */
export const idOf = (key: Uint8Array): string => keyId(canonicalKey(key));

/** Only the library writes to a side queue. What somebody else put there counts as having no key, and stays. */
const NO_KEY = '';

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

  /** All that have a key, in the order in which they were moved there. */
  entries(): ParkedEntry[] {
    const found = [...this.byKey].flatMap(([id, deliveries]) => [...deliveries].map((delivery) => ({ id, delivery })));
    return found
      .filter(({ id }) => id !== NO_KEY)
      .sort((a, b) => a.delivery.tag - b.delivery.tag)
      .map(({ id, delivery: { headers } }) => ({
        key: Buffer.from(id, 'latin1'),
        mode: headers[PARKED_HEADER] === 'pressure' ? 'pressure' : 'held',
        notes: headers,
      }));
  }
}

function idOfDelivery({ key }: RabbitDelivery): string {
  try {
    return key === undefined ? NO_KEY : idOf(key);
  } catch {
    return NO_KEY;
  }
}

import type { Delivery } from '../../transport/transport.interface.js';
import { markOf, marks, type DeliveryMark } from './delivery-mark.js';

/**
 * What of one shard came and was not handled before its epoch ended: all of it comes again, each key's in its order. So a
 * message that equals one that was handled is known not to be that one.
 */
export class UnhandledDeliveries {
  /** Of the present epoch, by key. */
  private present = new Map<string, DeliveryMark[]>();
  /** Of the epochs before, as they are to come. */
  private expected = new Map<string, DeliveryMark[]>();
  /** A key's queue may be cleared more than once. */
  private readonly noted = new WeakSet<Delivery>();

  get empty(): boolean {
    return this.present.size === 0 && this.expected.size === 0;
  }

  /** A delivery stays unhandled when its epoch ends. */
  add(keyId: string, delivery: Delivery): void {
    if (this.noted.has(delivery)) return;
    this.noted.add(delivery);
    append(this.present, keyId, [markOf(keyId, delivery)]);
  }

  /** An attempt at one succeeded after its epoch had ended. */
  handled(keyId: string, delivery: Delivery): void {
    for (const epochs of [this.present, this.expected]) {
      const list = epochs.get(keyId) ?? [];
      const index = list.findIndex((mark) => marks(mark, keyId, delivery));
      if (index < 0) continue;
      list.splice(index, 1);
      return;
    }
  }

  /** What was left comes before what has not come again yet. */
  epochEnded(): void {
    const { present, expected } = this;
    for (const [keyId, list] of expected) append(present, keyId, list);
    this.expected = present;
    this.present = new Map();
  }

  /** Takes out the next one of the key, where a delivery is that. Returns whether it is. */
  takeNext(keyId: string, delivery: Delivery): boolean {
    const list = this.expected.get(keyId);
    const next = list?.[0];
    if (next === undefined || !marks(next, keyId, delivery)) return false;
    if (list!.length === 1) this.expected.delete(keyId);
    else list!.shift();
    return true;
  }

  forget(): void {
    this.expected.clear();
  }
}

function append(map: Map<string, DeliveryMark[]>, keyId: string, more: readonly DeliveryMark[]): void {
  const list = map.get(keyId);
  if (list === undefined) map.set(keyId, [...more]);
  else list.push(...more);
}

import type { Delivery } from '../../transport/transport.interface.js';
import { hashOf, markOf, marks, type DeliveryMark } from './delivery-mark.js';
import { UnhandledDeliveries } from './unhandled-deliveries.js';

/** Of a mark in the ring. */
const COLUMNS = 3;

/**
 * What of one shard was handled but may come back, because its settlement was lost with the epoch. The broker brings
 * such messages first, in their old order and marked as redelivered; they are settled without another attempt. Each is
 * recognised once; one that came and was not handled is not taken for an equal one that was.
 */
export class HandledMemory {
  /**
   * A ring of marks, laid out flat: message id, key and hash of one, then of the next. An object for each message would
   * outlive the young generation, only to be replaced.
   */
  private ring: (string | number)[] = [];
  /** Where in the ring the next mark goes. */
  private position = 0;
  private last: DeliveryMark[] = [];
  /** What attempts of former epochs handled since the present one began. They are the newest at its end. */
  private late: DeliveryMark[] = [];

  private readonly unhandled = new UnhandledDeliveries();

  /** @param capacity the prefetch window: no more deliveries than that can be unsettled */
  constructor(private readonly capacity: number) {}

  /** Notes a message whose attempt succeeded. One without an id cannot be told from another, so it is not noted. */
  remember(keyId: string, delivery: Delivery): void {
    const { messageId } = delivery;
    if (messageId === undefined) return;
    const { ring, position } = this;
    ring[position] = messageId;
    ring[position + 1] = keyId;
    ring[position + 2] = hashOf(delivery);
    this.position = position + COLUMNS === this.capacity * COLUMNS ? 0 : position + COLUMNS;
  }

  /** Notes a message whose attempt succeeded when its epoch had ended already: it may come back in the present one. */
  rememberLate(keyId: string, delivery: Delivery): void {
    if (delivery.messageId === undefined) return;
    this.unhandled.handled(keyId, delivery);
    this.late = [...this.late, markOf(keyId, delivery)].slice(-this.capacity);
  }

  /** A delivery was not handled, and its epoch ends: it comes again. */
  leave(keyId: string, delivery: Delivery): void {
    this.unhandled.add(keyId, delivery);
  }

  /** An epoch ended: what it handled may come back in the next. */
  epochEnded(): void {
    this.last = this.last.concat(this.inOrder(), this.late).slice(-this.capacity);
    this.late = [];
    this.ring = [];
    this.position = 0;
    this.unhandled.epochEnded();
  }

  /**
   * Takes out the mark of a delivery that was handled in the last epoch. The first delivery that was never delivered
   * before says that nothing of the last epoch is left in the broker: then everything is forgotten.
   * @param inOrder whether all that comes again of the key comes in one order: not where a part of it is in the side queue
   * @returns whether there was a mark, so that the delivery needs no attempt
   */
  takeMark(keyId: string, delivery: Delivery, inOrder: boolean): boolean {
    const nothing = this.last.length === 0 && this.late.length === 0;
    if (nothing && this.unhandled.empty) return false;
    if (!delivery.redelivered) {
      this.last = [];
      this.late = [];
      this.unhandled.forget();
      return false;
    }
    // A key's messages come again in their order: what it handled before one that is here now would have come before it, so it was
    // settled, and what equals it is another message. Of this one's equals nobody knows which it is.
    const wasUnhandled = this.unhandled.takeNext(keyId, delivery);
    if (!wasUnhandled && takeFrom(this.last, keyId, delivery, inOrder)) return true;
    const handledLate = !wasUnhandled && takeFrom(this.late, keyId, delivery, inOrder);
    if (inOrder) {
      this.last = withoutOthers(this.last, keyId, delivery);
      // It runs again, and so does what follows: where equals were confused, skipping that would end on what was earlier.
      if (!handledLate) this.late = withoutOthers(this.late, keyId, delivery);
    }
    return handledLate;
  }

  /** What the ring holds, the oldest first. */
  private inOrder(): DeliveryMark[] {
    const { ring, position } = this;
    const flat = [...ring.slice(position), ...ring.slice(0, position)];
    return Array.from({ length: flat.length / COLUMNS }, (_, index) => {
      const [messageId, key, hash] = flat.slice(index * COLUMNS, (index + 1) * COLUMNS);
      return { messageId: messageId as string, keyId: key as string, hash: hash as number };
    });
  }
}

/** Removes the mark of a delivery, and what the key has before it where that comes before it. Returns whether there was one. */
function takeFrom(list: DeliveryMark[], keyId: string, delivery: Delivery, inOrder: boolean): boolean {
  const index = list.findIndex((mark) => marks(mark, keyId, delivery));
  if (index < 0) return false;
  if (!inOrder) {
    list.splice(index, 1);
    return true;
  }
  const before = list.splice(0, index + 1).filter((mark) => mark.keyId !== keyId);
  list.unshift(...before);
  return true;
}

/** What the key has besides the delivery's own marks is left out. */
function withoutOthers(list: DeliveryMark[], keyId: string, delivery: Delivery): DeliveryMark[] {
  const isOther = (mark: DeliveryMark): boolean => mark.keyId === keyId && !marks(mark, keyId, delivery);
  return list.some(isOther) ? list.filter((mark) => !isOther(mark)) : list;
}

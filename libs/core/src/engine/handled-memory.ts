import { crc32 } from 'node:zlib';
import type { Delivery } from '../interfaces/transport.interface.js';

interface HandledMark {
  readonly messageId: string;
  readonly keyId: string;
  readonly bodyHash: number;
}

/**
 * What of one shard was handled but may come back, because its settlement was lost with the epoch. The broker brings
 * such messages first, in their old order and marked as redelivered; they are settled without another flight.
 */
export class HandledMemory {
  private readonly recent: HandledMark[] = [];
  private oldest = 0;
  private last: HandledMark[] = [];
  /** What flights of former epochs handled since the present one began. They are the newest at its end. */
  private late: HandledMark[] = [];

  /** @param capacity the prefetch window: no more deliveries than that can be unsettled */
  constructor(private readonly capacity: number) {}

  /** Notes a message whose flight succeeded. One without an id cannot be told from another, so it is not noted. */
  remember(keyId: string, delivery: Delivery): void {
    const mark = markOf(keyId, delivery);
    if (mark === undefined) return;
    if (this.recent.length < this.capacity) {
      this.recent.push(mark);
    } else {
      this.recent[this.oldest] = mark;
      this.oldest = (this.oldest + 1) % this.capacity;
    }
  }

  /** Notes a message whose flight succeeded when its epoch had ended already: it may come back in the present one. */
  rememberLate(keyId: string, delivery: Delivery): void {
    const mark = markOf(keyId, delivery);
    if (mark !== undefined) this.late = [...this.late, mark].slice(-this.capacity);
  }

  /** An epoch ended: what it handled may come back in the next. */
  turnEpoch(): void {
    const inOrder = [...this.recent.slice(this.oldest), ...this.recent.slice(0, this.oldest)];
    this.last = this.last.concat(inOrder, this.late).slice(-this.capacity);
    this.late = [];
    this.recent.length = 0;
    this.oldest = 0;
  }

  /**
   * Whether a delivery was handled in the last epoch. The first one that was never delivered before says that nothing
   * of the last epoch is left in the broker, and everything is forgotten.
   */
  recognises(keyId: string, delivery: Delivery): boolean {
    if (this.last.length === 0 && this.late.length === 0) return false;
    if (!delivery.redelivered) {
      this.last = [];
      this.late = [];
      return false;
    }
    return takeMark(this.last, keyId, delivery) || takeMark(this.late, keyId, delivery);
  }
}

/** Removes the mark of a delivery. Returns whether there was one. */
function takeMark(marks: HandledMark[], keyId: string, { messageId, body }: Delivery): boolean {
  const index = marks.findIndex((mark) => mark.messageId === messageId && mark.keyId === keyId);
  if (index < 0 || marks[index]!.bodyHash !== crc32(body)) return false;
  marks.splice(index, 1);
  return true;
}

function markOf(keyId: string, { messageId, body }: Delivery): HandledMark | undefined {
  return messageId === undefined ? undefined : { messageId, keyId, bodyHash: crc32(body) };
}

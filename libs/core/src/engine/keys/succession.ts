import type { Delivery } from '../../transport/transport.interface.js';
import type { Epoch } from '../messages/epoch.js';

/** A key's queue in one epoch, as its successors in later epochs see it. */
export interface Successor {
  /** What ran before has ended. */
  begin(): void;
  /** An earlier epoch handled a message too late. Returns whether this one, or one that follows, takes note. */
  markHandled(handled: Delivery): boolean;
}

/** What a key's queue leaves to the queue of the same key in the next epoch, which waits for its end. */
export class Legacy {
  successor: Successor | undefined;
  /** What was handled too late to be settled: it comes back, and needs no attempt. */
  handledLate: Delivery | undefined;

  /** The queue is gone. */
  handOver(id: string, { memory }: Epoch): void {
    const { successor, handledLate } = this;
    if (handledLate !== undefined && successor?.markHandled(handledLate) !== true) memory.rememberLate(id, handledLate);
    successor?.begin();
  }
}

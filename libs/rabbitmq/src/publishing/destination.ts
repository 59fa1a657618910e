import { Fifo, type FifoItem } from '@mississippi/core/transport';

/** A queue that messages are published to. */
export class Destination<Message extends FifoItem<Message>> {
  /** Messages that were sent to it and are not confirmed. */
  sent = 0;
  /** Nothing is sent to it. */
  held = false;
  /** What has stepped aside. It came before whatever else waits for the same queue. */
  readonly aside = new Fifo<Message>();
}

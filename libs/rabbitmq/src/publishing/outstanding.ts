import type { FifoItem } from '@mississippi/core/transport';
import type { ConfirmChannel } from 'amqplib';
import type { AddressedMessage } from './addressed-message.js';
import type { Destination } from './destination.js';

const NOTHING = Buffer.alloc(0);

/** A message whose caller waits for the confirm. */
export class Outstanding implements FifoItem<Outstanding> {
  /** The next in the list of those that wait. */
  next: Outstanding | undefined = undefined;
  /** The queue it goes to, as the outbox knows it. */
  destination: Destination<Outstanding> | undefined = undefined;
  /** Whether it was sent, once or more. */
  sent = false;
  /** Whether the broker has returned it, since it was sent last. */
  returned = false;
  /** Where it was sent, while it is not confirmed. */
  channel: ConfirmChannel | undefined = undefined;
  /** How often the broker closed the channel while nothing but this message was on it. */
  closedAlone = 0;
  /** Whether its caller still waits. */
  open = true;
  private resolve!: () => void;
  private reject!: (error: Error) => void;
  /** What the caller waits for. */
  readonly done = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor(
    public message: AddressedMessage,
    /** How long its caller waits. Milliseconds. */
    readonly timeout: number,
    /** On the transport's clock. */
    readonly deadline: number,
  ) {}

  /** The caller waits no longer: nothing of its message is needed any more, and it may be large. */
  expire(error: Error): void {
    this.finish(error);
    this.message = { exchange: this.message.exchange, queue: this.message.queue, body: NOTHING, options: {} };
  }

  /** Tells the caller, unless that has happened before. */
  finish(error?: Error): void {
    if (!this.open) return;
    this.open = false;
    if (error === undefined) this.resolve();
    else this.reject(error);
  }
}

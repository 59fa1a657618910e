import type { Delivery, ParkedReader } from '../../transport/transport.interface.js';
import type { SideQueue } from './side-queue.js';

/** Reads one key's messages in the side queue, for one epoch. */
export class SideQueueReader implements ParkedReader {
  private waiting: { resolve: (delivery: Delivery) => void; reject: (error: Error) => void } | undefined;
  /** Why it reads no more. */
  private over: Error | undefined;

  /**
   * @param id of the key
   * @param open the readers of the epoch, which this one leaves when it is closed
   */
  constructor(
    private readonly queue: SideQueue,
    private readonly id: string,
    private readonly open: Set<SideQueueReader>,
  ) {}

  next(): Promise<Delivery> {
    if (this.over !== undefined) return Promise.reject(this.over);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.look();
    });
  }

  /** Something may have come. */
  look(): void {
    const message = this.waiting === undefined ? undefined : this.queue.first(this.id);
    if (message === undefined) return;
    this.waiting!.resolve(message);
    this.waiting = undefined;
  }

  end(error: Error): void {
    this.over = error;
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  close(): void {
    this.end(new Error('the reader was closed'));
    this.open.delete(this);
  }
}

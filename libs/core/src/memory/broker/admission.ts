import type { Clock, Timer } from '../../clock/clock.interface.js';
import { Fifo, type FifoItem } from '../../collections/fifo.js';
import { PublishTimeoutError } from '../../errors/index.js';
import type { OutgoingMessage } from '../../transport/transport.interface.js';
import { MemoryMessage } from './memory-message.js';
import type { MemoryShard } from './memory-shard.js';
import type { ShardQueue } from './shard-queue.js';

/** A publisher and its clock. */
export interface Producer {
  readonly clock: Clock;
}

/** A message that was not let in yet, and its caller. */
class WaitingMessage implements FifoItem<WaitingMessage> {
  next: WaitingMessage | undefined;
  timer: Timer | undefined;
  /** The caller was told that it is not sent. */
  dropped = false;

  constructor(
    readonly message: OutgoingMessage,
    readonly producer: Producer,
    readonly resolve: () => void,
    readonly reject: (error: Error) => void,
  ) {}

  drop(error: Error): void {
    this.dropped = true;
    this.timer?.cancel();
    this.reject(error);
  }
}

/** Lets messages into the queues: as many as the capacity allows, and none while the broker is blocked. */
export class Admission {
  private readonly waiting = new Fifo<WaitingMessage>();
  private admitted = 0;
  private blockade: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(
    private readonly shards: readonly MemoryShard[],
    private readonly capacity: number,
  ) {}

  /** Messages in the queues that are not settled. */
  get length(): number {
    return this.admitted;
  }

  get blocked(): boolean {
    return this.blockade !== undefined;
  }

  block(): void {
    if (this.blockade !== undefined) return;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.blockade = { over, end };
  }

  unblock(): void {
    this.blockade?.end();
    this.blockade = undefined;
    this.admitWaiting();
  }

  /** Resolves when the broker is not blocked. */
  taking(): Promise<void> {
    return this.blockade?.over ?? Promise.resolve();
  }

  /**
   * Resolves when the message is in the queue of its shard. Calls take effect in call order.
   * @param timeout milliseconds, `Infinity` for none
   * @param producer whose waiting calls {@link abandon} ends
   * @throws {PublishTimeoutError} when it still waits after `timeout`; it is not sent then
   */
  publish(message: OutgoingMessage, timeout: number, producer: Producer): Promise<void> {
    if (this.blockade === undefined && this.waiting.length === 0 && this.admitted < this.capacity) {
      this.admit(this.shards[message.shard]!.queue, MemoryMessage.from(message));
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const waiting = new WaitingMessage(message, producer, resolve, reject);
      if (timeout !== Infinity) {
        waiting.timer = producer.clock.after(timeout, () => waiting.drop(new PublishTimeoutError(timeout, false)));
      }
      this.waiting.push(waiting);
    });
  }

  /** Puts a message into a queue, whatever the capacity. */
  admit(queue: ShardQueue, message: MemoryMessage): void {
    this.admitted++;
    queue.append(message);
  }

  /** A message has left its queue. */
  released(): void {
    this.admitted--;
    this.admitWaiting();
  }

  /** A producer is closed: what it has waiting will not be sent. */
  abandon(producer: Producer, error: () => Error): void {
    for (let waiting = this.waiting.peek(); waiting !== undefined; waiting = waiting.next) {
      if (waiting.producer === producer && !waiting.dropped) waiting.drop(error());
    }
  }

  private admitWaiting(): void {
    while (this.blockade === undefined && this.admitted < this.capacity) {
      const waiting = this.waiting.shift();
      if (waiting === undefined) return;
      if (waiting.dropped) continue;
      waiting.timer?.cancel();
      this.admit(this.shards[waiting.message.shard]!.queue, MemoryMessage.from(waiting.message));
      waiting.resolve();
    }
  }
}

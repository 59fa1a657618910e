import type { Clock, Timer } from '../../clock/clock.interface.js';
import { Fifo, type FifoItem } from '../../collections/fifo.js';
import { PublishTimeoutError } from '../../errors/index.js';
import { keyId } from '../../keys/sharding-key.js';
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
  /** It waits no longer, though it may still stand in line: the caller was told that it is not sent, or it was let in. */
  dropped = false;
  readonly keyId: string;
  private resolve!: () => void;
  private reject!: (error: Error) => void;
  /** What the caller waits for. */
  readonly admission = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  /** @param message forgotten when it is dropped: it may be large, and its caller may keep the error for long */
  constructor(
    public message: OutgoingMessage | undefined,
    readonly producer: Producer,
  ) {
    this.keyId = keyId(message!.key);
  }

  admitted(): void {
    this.timer?.cancel();
    this.resolve();
  }

  drop(error: Error): void {
    this.dropped = true;
    this.message = undefined;
    this.timer?.cancel();
    this.reject(error);
  }
}

/** Lets messages into the queues: as many as the capacity allows, and none while the broker is blocked. */
export class Admission {
  private readonly waiting = new Fifo<WaitingMessage>();
  /** Of those that wait, and perhaps of some that did. */
  private readonly waitingKeys = new Set<string>();
  /** Told whenever no message is left in the queues of the shards, if somebody wants to know. */
  idle: (() => void) | undefined = undefined;
  private admitted = 0;
  /** How many of those that wait were dropped. */
  private gone = 0;
  private blockade: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(
    private readonly shards: readonly MemoryShard[],
    private readonly capacity: number,
  ) {}

  /** Messages in the queues that are not settled. */
  get length(): number {
    return this.admitted;
  }

  /** Whether messages may soon have to wait for room: early enough that callbacks which begin now are known by then. */
  get fills(): boolean {
    return (this.admitted + 1) * 2 >= this.capacity;
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
   * Resolves when the message is in the queue of its shard. Calls of one key take effect in call order.
   * @param timeout milliseconds, `Infinity` for none
   * @param producer whose waiting calls {@link abandon} ends
   * @param fromCallback it does not wait for room, which only the end of its callback may make
   * @throws {PublishTimeoutError} when it still waits after `timeout`; it is not sent then
   */
  publish(message: OutgoingMessage, timeout: number, producer: Producer, fromCallback = false): Promise<void> {
    if (this.blockade === undefined && (fromCallback || (this.waiting.length === 0 && this.admitted < this.capacity))) {
      this.admitWaitingOf(keyId(message.key));
      this.admit(this.shards[message.shard]!.queue, MemoryMessage.from(message));
      return Promise.resolve();
    }
    const waiting = new WaitingMessage(message, producer);
    if (timeout !== Infinity) this.limit(waiting, timeout);
    this.waiting.push(waiting);
    this.waitingKeys.add(waiting.keyId);
    return waiting.admission;
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
    if (this.admitted === 0) this.idle?.();
  }

  /** A message has left a side queue. */
  sideReleased(): void {
    if (this.admitted === 0) this.idle?.();
  }

  /** A producer is closed: what it has waiting will not be sent. */
  abandon(producer: Producer, error: () => Error): void {
    for (const waiting of this.waiting) {
      if (waiting.producer === producer && !waiting.dropped) waiting.drop(error());
    }
    this.forgetDropped();
  }

  private limit(waiting: WaitingMessage, timeout: number): void {
    waiting.timer = waiting.producer.clock.after(timeout, () => this.expired(waiting, timeout));
  }

  private expired(waiting: WaitingMessage, timeout: number): void {
    waiting.drop(new PublishTimeoutError(timeout, false));
    this.gone++;
    // Not one by one, since each would be looked for among all; so at most as many are kept as wait.
    if (this.gone * 2 > this.waiting.length) this.forgetDropped();
  }

  /** A message whose caller has gone must not be kept for as long as the broker takes nothing. */
  private forgetDropped(): void {
    this.waiting.keep((waiting) => !waiting.dropped);
    this.gone = 0;
  }

  /** What waits of a key goes before what its callers publish later. */
  private admitWaitingOf(key: string): void {
    if (!this.waitingKeys.delete(key)) return;
    for (const waiting of this.waiting) {
      if (waiting.keyId !== key || waiting.dropped) continue;
      this.letIn(waiting);
      waiting.dropped = true;
    }
    this.forgetDropped();
  }

  private letIn(waiting: WaitingMessage): void {
    const message = waiting.message!;
    this.admit(this.shards[message.shard]!.queue, MemoryMessage.from(message));
    waiting.admitted();
  }

  private admitWaiting(): void {
    while (this.blockade === undefined && this.admitted < this.capacity) {
      const waiting = this.waiting.shift();
      if (waiting === undefined) break;
      if (waiting.dropped) {
        this.gone--;
        continue;
      }
      this.letIn(waiting);
    }
    if (this.waiting.length === 0) this.waitingKeys.clear();
  }
}

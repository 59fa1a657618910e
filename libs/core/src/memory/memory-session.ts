import { SessionEndedError } from '../errors/index.js';
import type {
  Delivery,
  MessageHeaders,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardReceiver,
  ShardSession,
} from '../interfaces/transport.interface.js';
import { keyId } from '../keys/sharding-key.js';
import type { MemoryBroker, MemoryMember } from './memory-broker.js';
import type { MemoryMessage } from './memory-message.js';
import type { MemoryShard } from './memory-shard.js';

/** One epoch of one shard of the embedded broker. */
export class MemorySession implements ShardSession {
  readonly epoch: number;
  readonly parked: readonly ParkedEntry[];
  receiver: ShardReceiver | undefined;
  private ended = false;
  private scheduled = false;
  private readonly readers = new Set<MemoryReader>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly home: MemoryShard,
    readonly member: MemoryMember,
    private readonly freed: () => void,
  ) {
    this.epoch = ++home.epoch;
    this.parked = [...home.parked()].map((message) => ({ key: message.key!, ...message.parked! }));
  }

  get shard(): number {
    return this.home.index;
  }

  settle(delivery: Delivery): void {
    const message = delivery as MemoryMessage;
    if (this.ended || !this.home.settle(message)) return;
    if (message.parked === undefined) this.broker.spaceFreed();
    this.schedule();
  }

  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    await this.broker.taking();
    this.check();
    this.broker.addDeadLetter(delivery as MemoryMessage, notes);
    this.settle(delivery);
  }

  async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    await this.broker.taking();
    this.check();
    const message = delivery as MemoryMessage;
    message.parked = { mode, notes };
    this.home.park(message);
    this.broker.spaceFreed();
    for (const reader of this.readers) reader.look();
    this.schedule();
  }

  readParked(key: Uint8Array): ParkedReader {
    const reader = new MemoryReader(
      () => this.home.firstParked(keyId(key)),
      () => this.readers.delete(reader),
    );
    if (this.ended) reader.end(new SessionEndedError(this.shard));
    else this.readers.add(reader);
    return reader;
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.end();
    this.freed();
  }

  /** The epoch ends without the owner's doing. */
  lose(cause: Error): void {
    if (this.ended) return;
    this.end();
    this.receiver?.lost(cause);
    this.freed();
  }

  /** Delivers up to the prefetch window, on the next microtask, so that nobody's call runs a handler inside itself. */
  schedule(): void {
    if (this.scheduled || this.ended) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      while (!this.ended && this.home.window < this.member.prefetch) {
        const message = this.home.take();
        if (message === undefined) return;
        this.receiver?.deliver(message);
      }
    });
  }

  private end(): void {
    this.ended = true;
    this.home.owner = undefined;
    this.home.returnUnsettled();
    for (const reader of this.readers) reader.end(new SessionEndedError(this.shard));
    this.readers.clear();
  }

  private check(): void {
    if (this.ended) throw new SessionEndedError(this.shard);
  }
}

class MemoryReader implements ParkedReader {
  private waiting: { resolve: (delivery: Delivery) => void; reject: (error: Error) => void } | undefined;
  /** Why it reads no more. */
  private over: Error | undefined;

  constructor(
    private readonly first: () => MemoryMessage | undefined,
    private readonly closed: () => void,
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
    const message = this.waiting === undefined ? undefined : this.first();
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
    this.closed();
  }
}

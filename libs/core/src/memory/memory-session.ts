import { SessionEndedError } from '../errors/index.js';
import type {
  Delivery,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
} from '../transport/transport.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { keyId } from '../keys/sharding-key.js';
import type { MemoryBroker, MemoryMember } from './memory-broker.js';
import type { MemoryMessage } from './memory-message.js';
import type { MemoryShard } from './memory-shard.js';

/** How long a shard rests whose owner could not open it. Milliseconds. */
const REOPEN_AFTER = 1_000;

/** One epoch of one shard of the embedded broker. */
export class MemorySession implements ShardSession {
  readonly parked: readonly ParkedEntry[];
  receiver: ShardReceiver | undefined;
  private ended = false;
  /** Why the epoch was lost, if it was. */
  private lostBy: Error | undefined;
  private scheduled = false;
  private readonly readers = new Set<MemoryReader>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly home: MemoryShard,
    readonly member: MemoryMember,
    private readonly freed: () => void,
  ) {
    this.parked = [...home.parked()].map((message) => ({ key: message.key!, ...message.parked! }));
  }

  /** Opens the epoch. One that cannot be opened is given back and offered again after a while. */
  begin(consumer: ShardConsumer): void | Promise<void> {
    let opening: ShardReceiver | Promise<ShardReceiver>;
    try {
      opening = consumer.open(this);
    } catch {
      this.refused();
      return;
    }
    if (!(opening instanceof Promise)) {
      this.opened(opening);
      return;
    }
    return opening.then(
      (receiver) => this.opened(receiver),
      () => this.refused(),
    );
  }

  private opened(receiver: ShardReceiver): void {
    this.receiver = receiver;
    if (this.lostBy !== undefined) receiver.lost(this.lostBy);
    else this.schedule();
  }

  private refused(): void {
    if (this.ended) return;
    this.end();
    this.member.clock.after(REOPEN_AFTER, this.freed, true);
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
    this.lostBy = cause;
    this.end();
    this.receiver?.lost(cause);
    this.freed();
  }

  giveUp(_cause: Error): void {
    if (this.ended) return;
    this.end();
    this.freed();
  }

  /** Delivers up to the prefetch window, on the next microtask, so that nobody's call runs a handler inside itself. */
  schedule(): void {
    if (this.scheduled || this.ended || this.receiver === undefined) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      while (!this.ended && this.home.window < this.member.prefetch) {
        const message = this.home.take();
        if (message === undefined) return;
        this.receiver!.deliver(message);
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

import { SessionEndedError } from '../../errors/index.js';
import type {
  Delivery,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardReceiver,
  ShardSession,
} from '../../transport/transport.interface.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { keyId } from '../../keys/sharding-key.js';
import type { Admission } from './admission.js';
import type { DeadLetters } from './dead-letters.js';
import type { MemoryMember } from './memory-member.js';
import type { MemoryMessage } from './memory-message.js';
import type { MemoryShard } from './memory-shard.js';
import type { ShardQueue, Taker } from './shard-queue.js';
import { idOf, NO_KEY, type SideQueue } from './side-queue.js';
import { SideQueueReader } from './side-queue-reader.js';

/** How long a shard rests whose owner could not open it. Milliseconds. */
const REOPEN_AFTER = 1_000;

/** One epoch of one shard of the embedded broker. */
export class MemorySession implements ShardSession, Taker {
  readonly shard: number;
  readonly parked: readonly ParkedEntry[];
  /** Readers of the side queue that are open. */
  readonly readers = new Set<SideQueueReader>();
  receiver: ShardReceiver | undefined;
  private readonly queue: ShardQueue;
  private readonly side: SideQueue;
  private over = false;
  /** It is being handed over. */
  private leaving = false;
  /** Why the epoch was lost, if it was. */
  private lostBy: Error | undefined;
  private scheduled = false;

  /** @param freed called when the shard may be offered again */
  constructor(
    { index, queue, side }: MemoryShard,
    readonly member: MemoryMember,
    private readonly admission: Admission,
    private readonly deadLetters: DeadLetters,
    private readonly freed: () => void,
  ) {
    this.shard = index;
    this.queue = queue;
    this.side = side;
    this.parked = Array.from(side.messages, (message) => ({
      key: idOf(message) === NO_KEY ? undefined : message.key,
      ...message.parked!,
      messageId: message.messageId,
      type: message.properties?.type,
    }));
  }

  get ended(): boolean {
    return this.over;
  }

  /** Opens the epoch. One that cannot be opened is given back, and the shard offered again after a while. */
  begin(): void | Promise<void> {
    let opening: ShardReceiver | Promise<ShardReceiver>;
    try {
      opening = this.member.consumer.open(this);
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
    if (this.over) return;
    if (this.leaving) {
      void this.release(receiver);
      return;
    }
    this.queue.taker = this;
    this.look();
  }

  /** Nothing more is handed out; what runs settles, and then the shard is free. One that is being opened is handed over when it is. */
  async handOver(): Promise<void> {
    if (this.leaving || this.over) return;
    this.leaving = true;
    if (this.receiver !== undefined) await this.release(this.receiver);
  }

  private async release(receiver: ShardReceiver): Promise<void> {
    await receiver.release();
    await this.close();
  }

  /** The consumer knows why. */
  private refused(): void {
    if (this.over) return;
    this.end();
    this.member.clock.after(REOPEN_AFTER, this.freed, true);
  }

  settle(delivery: Delivery): void {
    if (this.over) return;
    const message = delivery as MemoryMessage;
    if (message.parked !== undefined) {
      this.side.settle(message);
      this.admission.sideReleased();
      return;
    }
    if (!this.queue.settle(message)) return;
    this.admission.released();
    this.look();
  }

  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    await this.admission.taking();
    this.check();
    if (this.deadLetters.add(delivery as MemoryMessage, notes)) this.member.deadLetterDropped?.();
    this.settle(delivery);
  }

  async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    await this.admission.taking();
    this.check();
    const message = delivery as MemoryMessage;
    this.queue.settle(message);
    message.parked = { mode, notes };
    this.side.append(message);
    this.admission.released();
    for (const reader of this.readers) reader.look();
    this.look();
  }

  readParked(key: Uint8Array | undefined): ParkedReader {
    const reader = new SideQueueReader(this.side, key === undefined ? NO_KEY : keyId(key), this.readers);
    if (this.over) reader.end(new SessionEndedError(this.shard));
    else this.readers.add(reader);
    return reader;
  }

  async close(): Promise<void> {
    if (this.over) return;
    this.end();
    this.freed();
  }

  giveUp(_cause: Error): void {
    if (this.over) return;
    this.end();
    this.freed();
  }

  /** The epoch ends without the owner's doing. */
  lose(cause: Error): void {
    if (this.over) return;
    this.lostBy = cause;
    this.end();
    this.receiver?.lost(cause);
    this.freed();
  }

  /** Delivers up to the prefetch window, on the next microtask, so that nobody's call runs a handler inside itself. */
  look(): void {
    if (this.scheduled || this.over) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      while (!this.over && this.queue.unsettled.size < this.member.prefetch) {
        const message = this.queue.take();
        if (message === undefined) return;
        this.receiver!.deliver(message);
      }
    });
  }

  private end(): void {
    this.over = true;
    this.queue.taker = undefined;
    this.queue.returnUnsettled();
    this.side.markRedelivered();
    for (const reader of this.readers) reader.end(new SessionEndedError(this.shard));
    this.readers.clear();
  }

  private check(): void {
    if (this.over) throw new SessionEndedError(this.shard);
  }
}

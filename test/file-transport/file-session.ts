import { SessionEndedError } from '@mississippi/core';
import type {
  Clock,
  Delivery,
  MessageHeaders,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardReceiver,
  ShardSession,
} from '@mississippi/core/transport';
import { deferred } from './deferred.js';
import type { FileFolder, Owner } from './file-folder.js';
import { FileParkedReader } from './file-parked-reader.js';
import type { FileWriter } from './file-writer.js';
import { keyOf, ShardFiles, type FileDelivery } from './shard-files.js';

/** One epoch of one shard: from its files to a receiver, and back. */
export class FileSession implements ShardSession, Owner {
  readonly parked: readonly ParkedEntry[];
  private readonly files: ShardFiles;
  private readonly waiting: FileDelivery[] = [];
  private readonly window = new Map<number, FileDelivery>();
  private readonly readers: FileParkedReader[] = [];
  private readonly ending = deferred<never>();
  private settling: number[] = [];
  private scheduled = false;
  private receiver: ShardReceiver | undefined;
  private ended: Error | undefined;
  private loss: Error | undefined;

  constructor(
    readonly shard: number,
    private readonly folder: FileFolder,
    private readonly writer: FileWriter,
    private readonly clock: Clock,
    private readonly prefetch: number,
    private readonly onEnd: () => void,
  ) {
    this.files = new ShardFiles(folder, shard);
    this.parked = this.files.parked;
    folder.own(shard, this);
    folder.messages(shard).listeners.add(this.wake);
  }

  /** The core has opened it. */
  start(receiver: ShardReceiver): void {
    this.receiver = receiver;
    if (this.loss !== undefined) receiver.lost(this.loss);
    else this.wake();
  }

  settle(delivery: Delivery): void {
    if (this.ended !== undefined) return;
    const { number } = delivery as FileDelivery;
    this.window.delete(number);
    this.files.sideQueue.delete(number);
    this.settling.push(number);
    this.wake();
  }

  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    const { key, body, headers, messageId, timestamp, properties } = delivery;
    const letter = { key, body, headers: { ...headers, ...notes }, messageId, timestamp, properties };
    await this.write(this.folder.deadLetters, letter);
    this.settle(delivery);
  }

  async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    const moved = delivery as FileDelivery;
    try {
      await this.write(this.folder.moves(this.shard), { number: moved.number, mode, notes });
    } catch (error) {
      this.lose(error as Error);
      throw error;
    }
    this.window.delete(moved.number);
    this.files.sideQueue.set(moved.number, { ...moved, redelivered: true });
    this.wake();
  }

  readParked(key: Uint8Array | undefined): ParkedReader {
    const wanted = keyOf({ key });
    const reader = new FileParkedReader(() => {
      for (const delivery of this.files.sideQueue.values()) if (keyOf(delivery) === wanted) return delivery;
      return undefined;
    });
    if (this.ended === undefined) this.readers.push(reader);
    else reader.end(new SessionEndedError(this.shard, this.ended));
    return reader;
  }

  async close(): Promise<void> {
    this.flush();
    this.end(new Error('The session was closed.'));
  }

  giveUp(cause: Error): void {
    this.end(cause);
  }

  lose(cause: Error): void {
    if (this.ended !== undefined) return;
    this.loss = cause;
    this.end(cause);
    this.receiver?.lost(cause);
  }

  private end(cause: Error): void {
    if (this.ended !== undefined) return;
    this.ended = cause;
    this.folder.messages(this.shard).listeners.delete(this.wake);
    const error = new SessionEndedError(this.shard, cause);
    this.ending.reject(error);
    for (const reader of this.readers) reader.end(error);
    this.onEnd();
    this.folder.free(this.shard);
  }

  /** Never within a call of the core: it would be called back before it knows what it has called. */
  private readonly wake = (): void => {
    if (this.scheduled) return;
    this.scheduled = true;
    this.clock.soon(() => {
      this.scheduled = false;
      this.flush();
      this.deliver();
      for (const reader of this.readers) reader.wake();
    });
  };

  /** Writes the settlements that wait. */
  flush(): void {
    if (this.ended !== undefined) return;
    try {
      this.files.settle(this.settling.splice(0));
    } catch (error) {
      this.lose(error as Error);
    }
  }

  private deliver(): void {
    if (this.receiver === undefined || this.ended !== undefined) return;
    this.waiting.push(...this.files.next());
    const batch = this.waiting.splice(0, this.prefetch - this.window.size);
    for (const delivery of batch) this.window.set(delivery.number, delivery);
    try {
      const last = batch.at(-1);
      if (last !== undefined) this.files.deliver(last);
    } catch (error) {
      this.lose(error as Error);
    }
    for (const delivery of batch) if (this.isOpen()) this.receiver.deliver(delivery);
  }

  private readonly isOpen = (): boolean => this.ended === undefined;

  /** Nothing is written any more once the epoch has ended: the next owner may have it by then. */
  private write(file: FileFolder['deadLetters'], value: unknown): Promise<void> {
    if (!this.isOpen()) return this.ending.promise;
    return Promise.race([this.ending.promise, this.writer.write(file, value, Infinity, this.isOpen)]);
  }
}

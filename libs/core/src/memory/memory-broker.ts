import { PublishError, PublishTimeoutError } from '../errors/index.js';
import type { Clock, Timer } from '../clock/clock.interface.js';
import { systemClock } from '../clock/system-clock.js';
import { Fifo, type FifoItem } from '../engine/base/fifo.js';
import type { OutgoingMessage, Publisher, ShardConsumer } from '../transport/transport.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { MemoryMessage } from './memory-message.js';
import { MemorySession } from './memory-session.js';
import { MemoryShard } from './memory-shard.js';

/** A message in the dead letters of the embedded broker. */
export interface MemoryDeadLetter {
  /** The key in the external term format, as it arrived. */
  readonly key: Uint8Array | undefined;
  readonly body: Uint8Array;
  /** The message's own headers and what was noted. */
  readonly headers: MessageHeaders;
  readonly messageId: string | undefined;
  readonly timestamp: number | undefined;
}

export interface MemoryBrokerOptions {
  readonly totalCount: number;
  readonly capacity: number;
  readonly deadLetterLimit: number;
}

class WaitingPublish implements FifoItem<WaitingPublish> {
  next: WaitingPublish | undefined;
  timer: Timer | undefined;
  open = true;

  constructor(
    readonly message: OutgoingMessage,
    readonly publisher: object | undefined,
    readonly resolve: () => void,
    readonly reject: (error: Error) => void,
  ) {}
}

/** One consumer of the broker; shards that get free are offered to it while it claims. */
export interface MemoryMember {
  readonly consumer: ShardConsumer;
  readonly prefetch: number;
  readonly clock: Clock;
}

/**
 * The embedded broker: queues in this process's memory with the manners of a real one. Several apps in one process may
 * share it, which is how a hand-over is tried without a broker.
 * @publicApi
 */
export class MemoryBroker implements Publisher {
  private readonly shards: MemoryShard[];
  private readonly letters: MemoryDeadLetter[] = [];
  private readonly waiting = new Fifo<WaitingPublish>();
  private readonly members = new Set<MemoryMember>();
  private size = 0;
  private unblocked: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(private readonly options: MemoryBrokerOptions) {
    this.shards = Array.from({ length: options.totalCount }, (_, index) => new MemoryShard(index));
  }

  get totalCount(): number {
    return this.options.totalCount;
  }

  /** Messages that are not settled, side queues and dead letters left out. */
  get length(): number {
    return this.size;
  }

  /** The dead letters, oldest first. */
  get deadLetters(): readonly MemoryDeadLetter[] {
    return this.letters;
  }

  /** Removes and returns the dead letters, oldest first. */
  takeDeadLetters(): MemoryDeadLetter[] {
    return this.letters.splice(0);
  }

  /** How many messages lie in a shard's side queue. */
  parkedCount(shard: number): number {
    return [...this.shards[shard]!.parked()].length;
  }

  get blocked(): boolean {
    return this.unblocked !== undefined;
  }

  /** Takes no messages until {@link unblock}, as a broker under a memory alarm. Deliveries go on. */
  block(): void {
    if (this.unblocked !== undefined) return;
    let resolve = (): void => undefined;
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.unblocked = { promise, resolve };
  }

  unblock(): void {
    this.unblocked?.resolve();
    this.unblocked = undefined;
    this.admitWaiting();
  }

  /** Ends the epoch of a shard without its owner's doing, as a lost connection does. */
  loseShard(index: number, cause: Error = new Error('the shard was taken away')): void {
    this.shards[index]!.owner?.lose(cause);
  }

  // ---- publishing

  /** @param publisher whose waiting calls {@link abandon} ends */
  publish(message: OutgoingMessage, timeout: number, publisher?: object, clock: Clock = systemClock): Promise<void> {
    if (!this.blocked && this.waiting.length === 0 && this.size < this.options.capacity) {
      this.enqueue(message);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const publish = new WaitingPublish(message, publisher, resolve, reject);
      if (timeout !== Infinity) {
        publish.timer = clock.after(timeout, () => {
          publish.open = false;
          reject(new PublishTimeoutError(timeout, false));
        });
      }
      this.waiting.push(publish);
    });
  }

  /** The publisher is closed: what it has waiting will not be sent. */
  abandon(publisher: object, error: () => Error): void {
    for (let waiting = this.waiting.peek(); waiting !== undefined; waiting = waiting.next) {
      if (waiting.publisher !== publisher || !waiting.open) continue;
      waiting.open = false;
      waiting.timer?.cancel();
      waiting.reject(error());
    }
  }

  /** Puts a message of a foreign producer into a shard as it is, without a check of its key. */
  inject(shard: number, message: Omit<MemoryDeadLetter, 'headers'> & { readonly headers?: MessageHeaders }): void {
    const { key, body, headers = {}, messageId, timestamp } = message;
    this.append(this.shards[shard]!, new MemoryMessage(key, body, headers, messageId, timestamp));
  }

  spaceFreed(): void {
    this.size--;
    this.admitWaiting();
  }

  private admitWaiting(): void {
    while (!this.blocked && this.size < this.options.capacity) {
      const publish = this.waiting.shift();
      if (publish === undefined) return;
      if (!publish.open) continue;
      publish.timer?.cancel();
      this.enqueue(publish.message);
      publish.resolve();
    }
  }

  private enqueue(message: OutgoingMessage): void {
    this.append(this.shards[message.shard]!, MemoryMessage.from(message));
  }

  private append(shard: MemoryShard, message: MemoryMessage): void {
    this.size++;
    shard.append(message);
    shard.owner?.schedule();
  }

  // ---- consuming

  /** Resolves when the broker takes messages. */
  taking(): Promise<void> {
    return this.unblocked?.promise ?? Promise.resolve();
  }

  /** @throws {PublishError} when the dead letters are full */
  addDeadLetter(message: MemoryMessage, notes: MessageHeaders): void {
    if (this.letters.length >= this.options.deadLetterLimit) {
      throw new PublishError(
        'nacked',
        `The embedded dead letters hold ${this.letters.length} messages, their limit: read them with broker.takeDeadLetters(), or raise deadLetterLimit.`,
      );
    }
    const { key, body, headers, messageId, timestamp } = message;
    this.letters.push({ key, body, headers: { ...headers, ...message.parked?.notes, ...notes }, messageId, timestamp });
  }

  join(member: MemoryMember): void {
    this.members.add(member);
    for (const shard of this.shards) this.offer(shard);
  }

  leave(member: MemoryMember): void {
    this.members.delete(member);
  }

  /** Gives a shard without an owner to the first member that claims. */
  private offer(shard: MemoryShard): void {
    if (shard.owner !== undefined) return;
    const [member] = this.members;
    if (member === undefined) return;
    const session = new MemorySession(this, shard, member, () => queueMicrotask(() => this.offer(shard)));
    shard.owner = session;
    void session.begin(member.consumer);
  }

  ownedBy(member: MemoryMember): number {
    return this.shards.filter((shard) => shard.owner?.member === member).length;
  }

  /** Ends every session of a member that is gone. */
  expel(member: MemoryMember, cause: Error): void {
    this.leave(member);
    for (const shard of this.shards) if (shard.owner?.member === member) shard.owner.lose(cause);
  }
}

import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { MessageProperties } from '../interfaces/message-properties.interface.js';
import { validateOptions } from '../options/validate-options.js';
import { IsCount } from '../options/validators.js';
import { BrokerParts } from './broker/broker-parts.js';
import type { MemoryDeadLetter } from './broker/dead-letters.js';
import { MemoryMessage } from './broker/memory-message.js';
import type { MemoryShard } from './broker/memory-shard.js';

/**
 * The inside of a broker, for the transport and for tests. The class below lets nobody else have it.
 * @internal
 */
export let partsOf: (broker: MemoryBroker) => BrokerParts;

/**
 * What a {@link MemoryBroker} is made with.
 * @publicApi
 */
export class MemoryBrokerOptions {
  /** Number of shards. */
  @IsCount()
  readonly totalCount!: number;

  /** Messages that are not settled above which `publish` waits; `Infinity` for no limit. */
  @IsCount({ infinity: true })
  readonly capacity!: number;

  /** Dead letters that are kept, above which the oldest are dropped; `Infinity` for no limit. */
  @IsCount({ infinity: true })
  readonly deadLetterLimit!: number;
}

/**
 * A message as a producer of another kind may write it: nothing of it can be relied on.
 * @publicApi
 */
export interface MemoryForeignMessage {
  /** The bytes of the sharding key, perhaps no term at all; left out: no key. */
  readonly key?: Uint8Array | undefined;
  readonly body: Uint8Array;
  readonly headers?: MessageHeaders | undefined;
  readonly messageId?: string | undefined;
  /** Unix time in seconds. */
  readonly timestamp?: number | undefined;
  readonly properties?: MessageProperties | undefined;
  /** Whether it comes as one that was delivered before. Default `false`. */
  readonly redelivered?: boolean | undefined;
}

/**
 * The embedded broker: queues in this process's memory that behave like a real broker's. Several apps in one process may
 * share it, which is how a hand-over is tested without a broker:
 *
 * ```ts
 * const broker = new MemoryBroker({ totalCount: 8, capacity: 1_000, deadLetterLimit: 100 });
 * const [one, two] = [memory({ broker }), memory({ broker })];
 * ```
 * @publicApi
 */
export class MemoryBroker {
  readonly #parts: BrokerParts;

  static {
    partsOf = (broker) => broker.#parts;
  }

  /** @throws {InvalidOptionsError} */
  constructor(options: MemoryBrokerOptions) {
    const { totalCount, capacity, deadLetterLimit } = validateOptions('MemoryBroker', MemoryBrokerOptions, options);
    this.#parts = new BrokerParts(totalCount, capacity, deadLetterLimit);
  }

  /** Number of shards. */
  get totalCount(): number {
    return this.#parts.shards.length;
  }

  /** Messages that are not settled, those in side queues and dead letters left out. */
  get length(): number {
    return this.#parts.admission.length;
  }

  /** The dead letters, oldest first. They stay until {@link takeDeadLetters}, or until newer ones push them out. */
  get deadLetters(): readonly MemoryDeadLetter[] {
    return this.#parts.deadLetters.letters;
  }

  /** How many dead letters were dropped so far, because there were more than `deadLetterLimit`. */
  get droppedDeadLetters(): number {
    return this.#parts.deadLetters.dropped;
  }

  /** Removes and returns the dead letters, oldest first. */
  takeDeadLetters(): MemoryDeadLetter[] {
    return this.#parts.deadLetters.take();
  }

  /**
   * How many messages lie in a shard's side queue.
   * @throws {RangeError} when there is no such shard
   */
  parkedCount(shard: number): number {
    return this.#shard(shard).side.messages.size;
  }

  /** Whether {@link block} is in force. */
  get blocked(): boolean {
    return this.#parts.admission.blocked;
  }

  /**
   * Takes no messages until {@link unblock}, as a broker under a memory alarm: what is published, dead-lettered or parked
   * waits. Deliveries go on.
   */
  block(): void {
    this.#parts.admission.block();
  }

  /** Takes messages again, those that waited first. Does nothing when the broker is not blocked. */
  unblock(): void {
    this.#parts.admission.unblock();
  }

  /**
   * Ends the epoch of a shard without its owner's doing, as a lost connection does. The shard is then offered again, to
   * the same app too. Does nothing when nobody owns it.
   * @param cause what the owner is told
   * @throws {RangeError} when there is no such shard
   */
  loseShard(shard: number, cause: Error = new Error('the shard was taken away')): void {
    this.#parts.ownership.ownerOf(this.#shard(shard).index)?.lose(cause);
  }

  /**
   * Puts a message into a shard as it is: its key is not looked at, and neither capacity nor {@link block} holds it up.
   * @throws {RangeError} when there is no such shard
   */
  inject(shard: number, message: MemoryForeignMessage): void {
    const { key, body, headers = {}, messageId, timestamp, properties, redelivered = false } = message;
    const foreign = new MemoryMessage(key, body, headers, messageId, timestamp, properties);
    foreign.redelivered = redelivered;
    this.#parts.admission.admit(this.#shard(shard).queue, foreign);
  }

  #shard(index: number): MemoryShard {
    const shard = this.#parts.shards[index];
    if (shard === undefined)
      throw new RangeError(`There is no shard ${index}: they go from 0 to ${this.totalCount - 1}.`);
    return shard;
  }
}

import { PublishError, type EventsProducer } from '@mississippi/core';
import { shardOfEncoded } from '@mississippi/core/transport';
import { refOf, type MessageRef } from '@mississippi/history';
import { encodeTerm } from '@mississippi/terms';
import type { History } from './history.js';
import type { Seeded } from './seeded.js';

export interface WorkloadOptions {
  readonly keys: readonly string[];
  readonly random: Seeded;
  /** Publish calls under way at once; those of one key keep their order. Default 64. */
  readonly pipeline?: number;
  /** Most messages that are confirmed and not handled; above, publishing rests. Default no limit. */
  readonly backlog?: number;
  /** One message of a key at a time, published again until it is taken. Default `false`. */
  readonly patient?: boolean;
  /** The type of each message. Default none. */
  readonly typeOf?: (ref: MessageRef) => string;
}

/** Publishes numbered messages of many keys and records what becomes of them. */
export class Workload {
  private readonly next = new Map<string, number>();
  private readonly busy = new Set<string>();
  private stopped = false;
  private left = 0;
  private readonly refs: MessageRef[] = [];

  constructor(
    private readonly producer: EventsProducer,
    private readonly history: History,
    private readonly options: WorkloadOptions,
  ) {}

  /** Publishes so many messages, or until `stop`. Resolves when the outcome of each is known. */
  async publish(count = Infinity): Promise<void> {
    this.stopped = false;
    this.left = count;
    await Promise.all(Array.from({ length: this.options.pipeline ?? 64 }, () => this.publishOn()));
  }

  /** Publishes a number of messages of one key. */
  async publishKey(key: string, count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.send(this.number(key))));
  }

  stop(): void {
    this.stopped = true;
    this.history.changed();
  }

  /** Every message that was tried to be published. */
  published(): readonly MessageRef[] {
    return this.refs;
  }

  /** How many messages of a key. */
  publishedOf(key: string): number {
    return this.next.get(key) ?? 0;
  }

  private async publishOn(): Promise<void> {
    while (!this.stopped && this.left > 0) {
      const key = this.options.random.pick(this.options.keys);
      if (this.options.patient === true && this.busy.has(key)) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      this.left--;
      this.busy.add(key);
      await this.send(this.number(key));
      this.busy.delete(key);
      await this.room();
    }
  }

  private number(key: string): MessageRef {
    const seq = this.next.get(key) ?? 0;
    this.next.set(key, seq + 1);
    return refOf(key, seq);
  }

  private async send(ref: MessageRef): Promise<void> {
    const { random, patient, typeOf } = this.options;
    const { id, key, seq } = ref;
    const { publisher } = this.history;
    const padding = 'x'.repeat(random.below(400));
    const messageType = typeOf?.(ref);
    const type = messageType === undefined ? {} : { type: messageType };
    this.refs.push(ref);
    publisher.record({ type: 'published', ...ref, ...(messageType === undefined ? {} : { messageType }) });
    for (;;) {
      try {
        await this.producer.publish({ key, seq, padding }, { shardingKey: key, messageId: id, ...type });
        publisher.record({ type: 'confirmed', ...ref });
        return;
      } catch (error) {
        if (patient === true && error instanceof PublishError && error.reason === 'returned') continue;
        publisher.record({ type: 'refused', ...ref });
        return;
      }
    }
  }

  private async room(): Promise<void> {
    const { backlog = Infinity } = this.options;
    const has = (): boolean => this.stopped || this.history.confirmed - this.history.handled < backlog;
    if (!has()) await this.history.until('the backlog shrank', has, Infinity);
  }
}

export function keysNamed(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** The shard on which a key lands. */
export function shardOfKey(key: string, totalCount: number): number {
  return shardOfEncoded(encodeTerm(key), totalCount);
}

/** The first keys of a name that land on one shard. */
export function keysOnShard(shard: number, totalCount: number, prefix: string, count: number): string[] {
  const keys: string[] = [];
  for (let index = 0; keys.length < count; index++) {
    if (shardOfKey(`${prefix}${index}`, totalCount) === shard) keys.push(`${prefix}${index}`);
  }
  return keys;
}

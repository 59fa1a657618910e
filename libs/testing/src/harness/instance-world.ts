import { decodeShardingKey, MemoryBroker, MemoryStoreDatabase, memoryStore } from '@mississippi/core';
import type { BenchedInstance, BenchParts, GivenParts } from '@mississippi/core/testing';
import type { OutgoingMessage } from '@mississippi/core/transport';
import type { Activity } from './activity.js';
import { BenchStore } from './bench-store.js';
import { BenchTransport } from './bench-transport.js';
import type { Absence, BrokerWorld } from './broker-world.interface.js';
import { CallbackFaults } from './callback-faults.js';
import type { HarnessOptions } from './harness-options.interface.js';
import type { HarnessEvent, JournalEntry, PublishedMessage } from './journal-entry.interface.js';
import { Life } from './life.js';
import type { Unfinished } from './not-settled.error.js';
import type { FakeClock } from '../clock/fake-clock.js';

/** What all instances of a harness share. */
export interface SharedWorld {
  readonly options: HarnessOptions;
  readonly clock: FakeClock;
  readonly activity: Activity;
  readonly journal: JournalEntry[];
  /** How many messages the test has sent, of those without an id of its own. */
  sent: number;
  /** The app closes, whoever asked for it. */
  readonly closes: () => void;
}

/** What is around one instance: its broker and its store, which outlive its process, and what is to go wrong. */
export class InstanceWorld implements BrokerWorld {
  readonly broker: MemoryBroker;
  readonly prefetch: number;
  readonly faults = new CallbackFaults();
  /** Messages that the test itself sends. */
  readonly own = new Set<string>();
  readonly waiting = new Set<OutgoingMessage>();
  /** All that reached the broker, by id. */
  readonly known = new Map<string, OutgoingMessage>();
  readonly messages: PublishedMessage[] = [];
  absence: Absence | undefined;
  private readonly database = new MemoryStoreDatabase();
  private current: { readonly instance: BenchedInstance; readonly life: Life } | undefined;

  constructor(
    readonly name: string,
    readonly shared: SharedWorld,
  ) {
    const { totalCount = 128, prefetch = 300 } = shared.options;
    this.prefetch = prefetch;
    this.broker = new MemoryBroker({ totalCount, capacity: 100_000, deadLetterLimit: 10_000 });
  }

  get instance(): BenchedInstance {
    return this.current!.instance;
  }

  get life(): Life {
    return this.current!.life;
  }

  equip(instance: BenchedInstance, { store }: GivenParts): BenchParts {
    const { clock, activity, options } = this.shared;
    const life = new Life(clock, activity);
    this.current = { instance, life };
    const kept = options.store === 'own' ? store : store && memoryStore({ database: this.database });
    return {
      transport: new BenchTransport(this, life),
      store: kept && new BenchStore(kept, life),
      clock: life.clock,
      random: () => 1,
      around: (callback, invoke) => {
        // Nothing of a process that is gone runs, not even what hung in it and is released.
        const alive = (): unknown => (life.ended ? new Promise(() => undefined) : invoke());
        if (life.ended && callback.name === 'terminate') return undefined;
        return this.watched(this.faults.run(callback, alive));
      },
      told: (told) => this.tell('note' in told ? (told.note as HarnessEvent) : told),
    };
  }

  /** A line of the journal, now. */
  tell(event: HarnessEvent | Parameters<BenchParts['told']>[0]): void {
    const { journal, clock, activity } = this.shared;
    if (!this.isNoise(event as JournalEntry)) {
      journal.push({ ...(event as HarnessEvent), instance: this.name, at: clock.now() });
    }
    activity.touch();
  }

  closes(): void {
    this.shared.closes();
  }

  published(message: OutgoingMessage): void {
    const { messageId } = message;
    const sent = this.own.has(messageId);
    const note = this.describe(message);
    this.instance.note({ type: sent ? 'sent' : 'published', key: note.key, message: note } satisfies HarnessEvent);
    if (!sent) this.messages.push(note);
    if (this.delivers(message)) this.known.set(messageId, message);
  }

  delivers(message: OutgoingMessage): boolean {
    const { deliver = true } = this.shared.options;
    if (this.own.has(message.messageId)) return true;
    return typeof deliver === 'function' ? deliver(this.describe(message)) : deliver;
  }

  /** What is left to do, as far as is known without asking the store. */
  unfinished(): Unfinished[] {
    const { name, broker, instance, life } = this;
    const left: Unfinished[] = instance.unfinished().map((work) => ({ instance: name, ...work }));
    const add = (kind: Unfinished['kind'], count: number): void => {
      if (count > 0) left.push({ instance: name, kind, count });
    };
    add('publish', life.count('publish'));
    add('store', life.count('store'));
    const queued = instance.producerOnly ? 0 : broker.length;
    if (left.length === 0) add('message', queued);
    return left;
  }

  /** Whether something is under way that ends by itself. */
  active(): boolean {
    const { life, faults, absence } = this;
    if (life.count('store') > 0 || (absence === undefined && life.count('publish') > 0)) return true;
    return this.instance
      .unfinished()
      .some(({ kind, key, callback }) => kind === 'callback' && !faults.hanging(key, callback));
  }

  /** Messages that wait in the store for the relay, where services publish in transactions of their own. */
  async relayed(): Promise<Unfinished[]> {
    const { life, broker, name } = this;
    if (!life.enqueues || life.ended || life.store?.enqueued === undefined) return [];
    const shards = Array.from({ length: broker.totalCount }, (_, index) => index);
    const { length } = await life.store.enqueued(shards, 1_000);
    return length === 0 ? [] : [{ instance: name, kind: 'outbox', count: length }];
  }

  /** The broker goes away: nothing is owned any more, and what is published waits or is refused. */
  leaveBroker(publishes: Absence['publishes']): void {
    if (this.absence !== undefined) return;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.absence = { publishes, over, end };
    this.tell({ type: 'brokerAway' });
    this.broker.block();
    const cause = new Error('the broker is away');
    for (let shard = 0; shard < this.broker.totalCount; shard++) this.broker.loseShard(shard, cause);
  }

  returnToBroker(): void {
    const { absence } = this;
    if (absence === undefined) return;
    this.absence = undefined;
    this.tell({ type: 'brokerBack' });
    for (const message of this.waiting) this.published(message);
    absence.end();
    this.broker.unblock();
  }

  /** A hundred lines at each start, and as many where the broker goes away, would hide the others. */
  private isNoise({ type }: JournalEntry): boolean {
    return type === 'shardOwned' || (type === 'shardLost' && this.absence !== undefined);
  }

  private watched(result: unknown): unknown {
    if (!(result instanceof Promise)) return result;
    return result.finally(() => this.shared.activity.touch());
  }

  private describe(message: OutgoingMessage): PublishedMessage {
    const { key, body, headers, messageId, properties } = message;
    return {
      instance: this.name,
      key: decodeShardingKey(key),
      payload: this.payloadOf(body),
      type: properties?.type,
      messageId,
      headers,
    };
  }

  payloadOf(body: Uint8Array): unknown {
    try {
      return this.instance.decode(body);
    } catch {
      return undefined;
    }
  }
}

import type {
  Delivery,
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '@mississippi/core/transport';
import type { OpenOptions } from '@mississippi/testing';
import type { Fifo } from '../../../src/engine/base/fifo.js';
import { MemoryBroker } from '../../../src/index.js';
import type { MemoryMessage } from '../../../src/memory/memory-message.js';
import type { MemoryShard } from '../../../src/memory/memory-shard.js';
import { MemoryHarness } from '../memory-harness.js';

/** An embedded transport with one seeded defect, and the case that must find it. */
export interface Mutant {
  /** The defect. */
  readonly name: string;
  /** The beginning of the case's name. */
  readonly by: string;
  /** What the case says. */
  readonly says: RegExp;
  readonly prefetch?: (asked: number) => number;
  readonly broker?: (broker: MemoryBroker, shards: readonly MemoryShard[]) => void;
  readonly connection?: (connection: TransportConnection, broker: MemoryBroker) => Partial<TransportConnection>;
  readonly publish?: (publisher: Publisher, broker: MemoryBroker) => Publisher['publish'];
  readonly session?: (session: ShardSession, parts: SessionParts) => Partial<ShardSession>;
  readonly deliver?: (receiver: ShardReceiver, delivery: Delivery, session: ShardSession) => void;
}

export interface SessionParts {
  readonly broker: MemoryBroker;
  readonly shard: MemoryShard;
  /** The consumer's receiver, which exists once the session was opened. */
  readonly receiver: () => ShardReceiver;
}

/** The state of a shard that only a mutant may touch. */
export interface ShardInside {
  readonly ready: Fifo<MemoryMessage>;
  readonly unsettled: Set<MemoryMessage>;
  readonly side: Set<MemoryMessage>;
  readonly sideOfKey: Map<string, Set<MemoryMessage>>;
}

export function inside(shard: MemoryShard): ShardInside {
  return shard as unknown as ShardInside;
}

export function asMemory(delivery: Delivery): MemoryMessage {
  return delivery as MemoryMessage;
}

/** Changes a delivery in place, since it is known by its identity. */
export function rewrite(delivery: Delivery, changes: Partial<Delivery>): Delivery {
  return Object.assign(delivery, changes);
}

/** A publish that changes each message. */
export function changing(change: (message: OutgoingMessage) => OutgoingMessage): NonNullable<Mutant['publish']> {
  return (publisher) => (message, timeout) => publisher.publish(change(message), timeout);
}

/** A later turn of the event loop. */
export function later(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}

/** Some microtasks later, which is after a transport's promise has resolved and before the case has gone on far. */
export async function soonAfter(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
}

/** The same object, except for what is changed. */
function changed<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get: (_target, name) => {
      const value: unknown = name in changes ? Reflect.get(changes, name) : Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(name in changes ? changes : target) as unknown) : value;
    },
  });
}

/** The embedded transport with a defect. */
export class MutantHarness extends MemoryHarness {
  /** @param within short, since some defects show only in that nothing comes */
  constructor(
    private readonly mutant: Mutant,
    override readonly within = 500,
  ) {
    super();
  }

  override async open(options: OpenOptions): Promise<TransportConnection> {
    const { mutant } = this;
    if (this.broker === undefined) {
      const { totalCount } = options;
      this.broker = new MemoryBroker({ totalCount, capacity: 100_000, deadLetterLimit: 10_000 });
      mutant.broker?.(this.broker, shardsOf(this.broker));
    }
    const { broker } = this;
    const prefetch = mutant.prefetch?.(options.prefetch) ?? options.prefetch;
    const connection = await super.open({ ...options, prefetch });
    const { publisher } = connection;
    return changed(connection, {
      prefetch: options.prefetch,
      publisher: mutant.publish === undefined ? publisher : { publish: mutant.publish(publisher, broker) },
      consume: (consumer) =>
        connection.consume({ open: (session) => this.receiver(session, consumer.open.bind(consumer)) }),
      ...mutant.connection?.(connection, broker),
    });
  }

  private receiver(session: ShardSession, open: ShardConsumer['open']): ShardReceiver {
    const { session: changes, deliver } = this.mutant;
    const broker = this.broker!;
    const shard = shardsOf(broker)[session.shard]!;
    const receiver = open(
      changes === undefined ? session : changed(session, changes(session, { broker, shard, receiver: () => receiver })),
    ) as ShardReceiver;
    if (deliver === undefined) return receiver;
    return changed(receiver, { deliver: (delivery) => deliver(receiver, delivery, session) });
  }
}

export function shardsOf(broker: MemoryBroker): readonly MemoryShard[] {
  return (broker as unknown as { shards: readonly MemoryShard[] }).shards;
}

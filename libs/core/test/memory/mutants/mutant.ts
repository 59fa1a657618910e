import { isDeepStrictEqual } from 'node:util';
import type {
  Delivery,
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '@mississippi/core/transport';
import type { OpenOptions } from '@mississippi/testing/transport';
import type { BrokerParts } from '../../../src/memory/broker/broker-parts.js';
import type { MemoryMessage } from '../../../src/memory/broker/memory-message.js';
import { MemorySession } from '../../../src/memory/broker/memory-session.js';
import type { MemoryShard } from '../../../src/memory/broker/memory-shard.js';
import { partsOf } from '../../../src/memory/memory-broker.js';
import { changed } from '../../support/changed.js';
import { MemoryHarness } from '../memory-harness.js';

/** An embedded transport with one seeded fault, and the case that must find it. */
export interface Mutant {
  /** The fault. */
  readonly name: string;
  /** The beginning of the case's name. */
  readonly by: string;
  /** What the case says. */
  readonly says: RegExp;
  readonly prefetch?: (asked: number) => number;
  readonly broker?: (broker: BrokerParts, seed: Seed) => void;
  readonly connection?: (connection: TransportConnection, seed: Seed) => Partial<TransportConnection>;
  readonly publish?: (publisher: Publisher, seed: ConnectionSeed) => Publisher['publish'];
  readonly open?: (consumer: ShardConsumer, seed: SessionSeed) => ShardConsumer['open'];
  readonly session?: (session: MemorySession, seed: SessionSeed) => Partial<ShardSession>;
  readonly receiver?: (receiver: ShardReceiver, seed: SessionSeed) => Partial<ShardReceiver>;
}

/** What every fault may touch. */
export interface Seed {
  readonly broker: BrokerParts;
  /** Most unsettled deliveries of one shard, as the case asked for them. */
  readonly prefetch: number;
  /** To be called whenever the faulty branch does what a sound one would not. */
  readonly tookHold: () => void;
}

export interface ConnectionSeed extends Seed {
  readonly connection: TransportConnection;
}

export interface SessionSeed extends Seed {
  readonly shard: MemoryShard;
  readonly session: MemorySession;
  /** The consumer's receiver, which exists once the session was opened. */
  readonly receiver: () => ShardReceiver;
}

export function asMemory(delivery: Delivery): MemoryMessage {
  return delivery as MemoryMessage;
}

/** Changes a delivery in its fields, since it is known by its identity. */
export function rewrite<T extends Delivery>(delivery: T, changes: Partial<Delivery>, { tookHold }: Seed): T {
  if (!isSame(delivery, { ...delivery, ...changes })) tookHold();
  return Object.assign(delivery, changes);
}

/** A publish that changes each message. */
export function changing(change: (message: OutgoingMessage) => OutgoingMessage): NonNullable<Mutant['publish']> {
  return (publisher, { tookHold }) =>
    (message, timeout) => {
      const changed = change(message);
      if (!isSame(message, changed)) tookHold();
      return publisher.publish(changed, timeout);
    };
}

/** A receiver that gets each delivery changed. */
export function delivering(change: (delivery: Delivery) => Partial<Delivery>): NonNullable<Mutant['receiver']> {
  return (receiver, seed) => ({
    deliver: (delivery) => receiver.deliver(rewrite(delivery, change(delivery), seed)),
  });
}

function isSame(one: object, other: object): boolean {
  return Object.entries(other).every(([name, value]: [string, unknown]) => {
    const before: unknown = Reflect.get(one, name);
    if (value instanceof Uint8Array && before instanceof Uint8Array) return Buffer.compare(before, value) === 0;
    return isDeepStrictEqual(before, value);
  });
}

/** A message that nobody published. */
export const STRAY: Delivery = {
  key: undefined,
  body: Buffer.of(),
  headers: {},
  messageId: 'stray',
  timestamp: 1,
  redelivered: false,
};

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

/** The embedded transport with a fault. */
export class MutantHarness extends MemoryHarness {
  /** How often the fault did what a sound transport would not. */
  took = 0;
  private readonly tookHold = (): void => void this.took++;

  /** @param within short, since some faults show only in that nothing comes */
  constructor(
    private readonly mutant: Partial<Mutant>,
    override readonly within = 500,
  ) {
    super();
  }

  override async open(options: OpenOptions): Promise<TransportConnection> {
    const { mutant, tookHold } = this;
    const { totalCount, prefetch: asked } = options;
    const isFirst = this.broker === undefined;
    const broker = partsOf(this.brokerOf(totalCount));
    const seed: Seed = { broker, prefetch: asked, tookHold };
    if (isFirst) mutant.broker?.(broker, seed);
    const prefetch = mutant.prefetch?.(asked) ?? asked;
    if (prefetch !== asked) tookHold();
    const connection = await super.open({ ...options, prefetch });
    const { publisher } = connection;
    return changed(connection, {
      prefetch: asked,
      publisher:
        mutant.publish === undefined ? publisher : { publish: mutant.publish(publisher, { ...seed, connection }) },
      consume: (consumer) =>
        connection.consume({ open: (session) => this.opening(session as MemorySession, consumer, seed) }),
      ...mutant.connection?.(connection, seed),
    });
  }

  private opening(
    session: MemorySession,
    consumer: ShardConsumer,
    common: Seed,
  ): ShardReceiver | Promise<ShardReceiver> {
    const { mutant } = this;
    let receiver: ShardReceiver;
    const shard = common.broker.shards[session.shard]!;
    const seed: SessionSeed = { ...common, shard, session, receiver: () => receiver };
    const open = mutant.open?.(consumer, seed) ?? consumer.open.bind(consumer);
    const faulty =
      mutant.session === undefined ? session : changed<ShardSession>(session, mutant.session(session, seed));
    const opened = (made: ShardReceiver): ShardReceiver => {
      receiver = made;
      return mutant.receiver === undefined ? made : changed(made, mutant.receiver(made, seed));
    };
    const opening = open(faulty);
    return opening instanceof Promise ? opening.then(opened) : opened(opening);
  }
}

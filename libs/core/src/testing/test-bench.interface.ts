import type { Clock } from '../clock/clock.interface.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import type { ShardingKey } from '../keys/sharding-key.js';
import type { DataUpdaterService } from '../services/data-updater.service.js';
import type { EventsProducer } from '../services/events-producer.service.js';
import type { Store } from '../store/store.interface.js';
import type { AroundCallback, BenchNote, UnfinishedWork } from './bench-work.interface.js';
import type { Transport } from '../transport/transport.interface.js';

/**
 * What the bench puts between an instance and the world, for one life of its process.
 * @publicApi
 */
export interface BenchParts {
  readonly transport: Transport;
  readonly store: Store | undefined;
  readonly clock: Clock;
  /** From 0 to below 1, or 1 for the upper bound: for the jitter of backoffs. */
  readonly random: () => number;
  readonly around: AroundCallback;
  /** Hears every event, and what was given to {@link BenchedInstance.note}, in order. */
  readonly told: (told: MississippiEvent | BenchNote) => void;
}

/**
 * What an instance would be made with.
 * @publicApi
 */
export interface GivenParts {
  readonly transport: Transport;
  readonly store: Store | undefined;
}

/**
 * An instance as the bench handles it.
 * @publicApi
 */
export interface BenchedInstance {
  readonly name: string;
  readonly producerOnly: boolean;
  readonly dataUpdaters: DataUpdaterService;
  readonly producer: EventsProducer;
  /** What is not finished in this process, shard by shard. Empty while there is none. */
  unfinished(): readonly UnfinishedWork[];
  /** The state of a key's live data updater; `undefined` where none lives. */
  liveState(key: ShardingKey): { readonly state: unknown } | undefined;
  /**
   * A payload as the instance's format reads it, before any class or schema.
   * @throws what the format throws
   */
  decode(body: Uint8Array): unknown;
  /** Puts a note among the events, where it belongs in time. */
  note(note: unknown): void;
  /** The process is gone: services reject until {@link restart}. What else is to end with it is the bench's. */
  crash(): void;
  /** Another process begins: it asks the bench for parts, connects and consumes. */
  restart(): Promise<void>;
}

/**
 * What instances are put on in a test, by the token `MISSISSIPPI_TEST_BENCH`.
 * @publicApi
 */
export interface TestBench {
  /** Called before an instance connects, at its start and at each restart. */
  equip(instance: BenchedInstance, given: GivenParts): BenchParts;
}

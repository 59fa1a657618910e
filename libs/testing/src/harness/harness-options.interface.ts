import type { FakeClock } from '../clock/fake-clock.js';
import type { PublishedMessage } from './journal-entry.interface.js';

/**
 * What a harness is made with. All may be left out.
 * @publicApi
 */
export interface HarnessOptions {
  /** Number of shards of each instance. Default 128. */
  readonly totalCount?: number;
  /** Maximum number of unsettled deliveries per shard. Default 300. */
  readonly prefetch?: number;
  /**
   * Whether what handlers and services publish reaches the handlers of the app, or is recorded only. A function decides for each
   * message. What the test sends is always delivered. Default `true`.
   */
  readonly deliver?: boolean | ((message: PublishedMessage) => boolean);
  /**
   * Where the app has a store: `'memory'` (default) puts `memoryStore()` in its place, `'own'` leaves it, such as an embedded
   * PostgreSQL, or one of a test database. An app without a store never gets one.
   */
  readonly store?: 'memory' | 'own';
  /** Default a new one. */
  readonly clock?: FakeClock;
}

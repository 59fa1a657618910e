import type { TransportStatus } from '../interfaces/transport.interface.js';

/**
 * What one instance of the module owns and does at this moment.
 * @publicApi
 */
export interface EngineStatus {
  readonly transport: TransportStatus;
  /** Shards that this process owns. */
  readonly shards: number;
  /** Shards that wait because their side queue is full. */
  readonly stalledShards: readonly number[];
  /** Data updaters that live. */
  readonly liveKeys: number;
  /** Flights that run. */
  readonly flights: number;
  /** Keys whose head waits for its next attempt. */
  readonly backoffs: number;
  /** Keys whose `init` failed at the last try. */
  readonly failingInits: number;
  readonly parkedKeys: number;
  readonly parkedMessages: number;
  /** How long the oldest unfinished head has been here: the longest time without progress of any key. Milliseconds. */
  readonly oldestHead: number;
}

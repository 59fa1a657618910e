import type { Auditor } from '../auditor.js';
import type { Broker } from '../broker/broker.js';
import type { Connection } from '../broker/connection.js';
import type { Deviations } from '../deviations.js';
import type { Range } from '../time/dice.js';
import type { ProcessClock } from '../time/process-clock.js';

/** What a process is like. */
export interface Traits {
  readonly weight: number;
  readonly maxShards: number;
  /** How long it takes to open a shard. Milliseconds. */
  readonly opening: Range;
  /** How long the handlers of a shard that is handed over still run. Milliseconds. */
  readonly handOver: Range;
  /** Whether it fails to open a shard. */
  readonly unable: (shard: number) => boolean;
  /** How often it looks after itself, at most. Milliseconds. */
  readonly interval: number;
}

/** Where the parts of a process find one another. */
export interface Place {
  readonly id: string;
  readonly clock: ProcessClock;
  readonly broker: Broker;
  readonly auditor: Auditor;
  readonly traits: Traits;
  readonly deviations: Deviations;
  /** `undefined` while it is lost. */
  readonly consuming: Connection | undefined;
  readonly publishing: Connection | undefined;
  /** Passes in the process, some time in a range. */
  pause(range: Range): Promise<void>;
}

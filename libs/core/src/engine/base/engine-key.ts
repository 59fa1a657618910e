import type { Environment } from './environment.js';
import type { EpochAddress, KeyAddress } from './key-address.js';

/** An epoch of a shard, with what its instance goes by. */
export interface EngineEpoch extends EpochAddress {
  readonly environment: Environment;
}

/** A key in one epoch of its shard, with what its instance goes by. */
export interface EngineKey extends KeyAddress {
  readonly epoch: EngineEpoch;
}

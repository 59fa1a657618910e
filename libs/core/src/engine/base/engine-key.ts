import type { Environment } from './environment.js';
import type { EpochAddress, KeyAddress } from './key-address.js';

/** An epoch of a shard, with the environment of its instance. */
export interface EngineEpoch extends EpochAddress {
  readonly environment: Environment;
}

/** A key in one epoch of its shard, with the environment of its instance. */
export interface EngineKey extends KeyAddress {
  readonly epoch: EngineEpoch;
}

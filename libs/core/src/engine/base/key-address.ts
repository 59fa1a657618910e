import type { Environment } from './environment.js';

/** Which epoch of which shard of which instance. */
export interface EpochAddress {
  readonly environment: Environment;
  /** Index of the shard, from 0. */
  readonly shard: number;
  /** The epoch's number in this process, from 1. */
  readonly number: number;
}

/** A key in one epoch of its shard. */
export interface KeyAddress {
  /** The canonical key, as `keyId` spells it. */
  readonly id: string;
  readonly epoch: EpochAddress;
}

/** Which epoch of which shard. */
export interface EpochAddress {
  /** Index of the shard, from 0. */
  readonly shard: number;
  /** The epoch's number in this process. */
  readonly number: number;
}

/** A key in one epoch of its shard. */
export interface KeyAddress {
  /** The canonical key, as `keyId` spells it. */
  readonly id: string;
  readonly epoch: EpochAddress;
}

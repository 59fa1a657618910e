/** What one process sees of all shards at one moment. */
export interface Survey {
  /** Number of shards. */
  readonly total: number;
  /** Processes that claim, this one included. */
  readonly members: number;
  /** Processes that have less than their share and find nothing free, this one left out. */
  readonly hungry: number;
  /** Shards that this process owns. */
  readonly owned: number;
  /** Shards without an owner. */
  readonly free: readonly number[];
  /** Those of them that have been free for so long that nobody else seems to take them. */
  readonly forsaken: readonly number[];
  /** Most shards that this process may own. */
  readonly limit: number;
}

export interface Plan {
  readonly claim: readonly number[];
  /** How many shards to hand over. */
  readonly shed: number;
  /** Whether this process lacks shards and none is free. */
  readonly hungry: boolean;
}

/**
 * How a process moves towards an equal share: it claims free shards up to its share rounded up, and hands some over only
 * while somebody else has less than the share rounded down. The count of processes may be wrong for a while, so a shard
 * that stays free is taken by anybody.
 */
export function planShare(survey: Survey): Plan {
  const { total, members, owned, free, forsaken, limit } = survey;
  const exact = total / Math.max(1, members);
  const floor = Math.min(limit, Math.floor(exact));
  const ceil = Math.min(limit, Math.ceil(exact));
  const fair = free.slice(0, Math.max(0, ceil - owned));
  const adopted = forsaken.filter((shard) => !fair.includes(shard)).slice(0, Math.max(0, limit - owned - fair.length));
  const claim = [...fair, ...adopted];
  return { claim, shed: shedding(survey, floor, ceil), hungry: owned + claim.length < floor };
}

function shedding({ hungry, owned }: Survey, floor: number, ceil: number): number {
  if (hungry === 0) return 0;
  if (owned > ceil) return owned - ceil;
  return owned > floor ? 1 : 0;
}

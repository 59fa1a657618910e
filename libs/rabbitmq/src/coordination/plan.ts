import { give } from './giving.js';
import type { Part } from './part.js';
import { quotasOf, type Sharer } from './share.js';
import { take } from './shedding.js';

/** A process as the plan sees it. */
export interface PlanMember extends Sharer {
  readonly id: string;
  /** Shards that it owns or is about to claim, without those that it hands over. */
  readonly load: number;
  /** Whether it can be given or can hand over shards now; not while it carries out an order. */
  readonly ready: boolean;
  /** Shards that it is to have rather than others: whoever had them before it started has ended. */
  readonly home: ReadonlySet<number>;
  /** What it owns and does not hand over. */
  readonly staying: readonly number[];
  /** Whether it can own a shard. */
  able(shard: number): boolean;
}

export interface Situation {
  readonly members: readonly PlanMember[];
  /** Shards without an owner. */
  readonly free: readonly number[];
  /** How many shards are owned by one of the members, are being claimed by one or handed over by one. */
  readonly held: number;
  /** How many of them are being handed over, and will be free. */
  readonly coming: number;
  /** How many processes are about to join. */
  readonly expected: number;
}

export interface Plan {
  /** What each is to claim, by its id. */
  readonly claims: ReadonlyMap<string, readonly number[]>;
  /** What each is to hand over. */
  readonly sheds: ReadonlyMap<string, Shedding>;
  /** Free shards that nobody may own. */
  readonly unserved: readonly number[];
}

/** How many shards somebody is to hand over, and which of them are wanted elsewhere. */
export interface Shedding {
  readonly count: number;
  readonly wanted: readonly number[];
}

/** Of whom nothing is known yet. */
const NEWCOMER: Sharer = { weight: 1, most: Infinity };

/**
 * Moves towards a share for each: free shards go to whoever lacks most, and only as many are handed over as somebody lacks who
 * gets none of those. Shards that strangers hold, or that nobody can own, count for nobody's share.
 */
export function planMoves({ members, free, held, coming, expected }: Situation): Plan {
  const claimable = free.filter((shard) => members.some((member) => member.most > 0 && member.able(shard)));
  const newcomers = Array.from({ length: expected }, () => NEWCOMER);
  const quotas = quotasOf(held + claimable.length, [...members, ...newcomers]);
  const parts = members.map((member, index): Part => ({ member, quota: quotas[index]!, load: member.load }));
  const { claims, unserved } = give(parts, free, expected > 0);
  return { claims, sheds: take(parts, coming), unserved };
}

import { quotasOf, type Sharer } from './share.js';

/** A process as the plan sees it. */
export interface PlanMember extends Sharer {
  readonly id: string;
  /** Shards that it owns or is about to claim, without those that it hands over. */
  readonly load: number;
  /** Whether it can be given or can hand over shards now; not while it carries out an order. */
  readonly ready: boolean;
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
  /** How many each is to hand over. */
  readonly sheds: ReadonlyMap<string, number>;
  /** Free shards that nobody may own. */
  readonly unserved: readonly number[];
}

/** Of whom nothing is known yet. */
const NEWCOMER: Sharer = { weight: 1, most: Infinity };

/** Somebody in the middle of a plan. */
interface Part {
  readonly member: PlanMember;
  readonly quota: number;
  load: number;
}

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

/**
 * A shard whose taker still carries out an order is given to him later.
 * @param sparing whether what is above everybody's share is kept for others
 */
function give(
  parts: readonly Part[],
  free: readonly number[],
  sparing: boolean,
): Pick<Plan, 'unserved'> & { claims: Map<string, number[]> } {
  const claims = new Map<string, number[]>();
  const unserved: number[] = [];
  for (const shard of free) {
    const taker = neediest(parts, shard);
    if (taker === undefined) {
      unserved.push(shard);
      continue;
    }
    if (sparing && lack(taker) <= 0) break;
    taker.load++;
    if (!taker.member.ready) continue;
    const claim = claims.get(taker.member.id);
    if (claim === undefined) claims.set(taker.member.id, [shard]);
    else claim.push(shard);
  }
  return { claims, unserved };
}

/** Who lacks most of his share, of those who may have the shard. */
function neediest(parts: readonly Part[], shard: number): Part | undefined {
  let found: Part | undefined;
  for (const part of parts) {
    const { member, load } = part;
    if (load >= member.most || !member.able(shard)) continue;
    if (found === undefined || lack(part) > lack(found)) found = part;
  }
  return found;
}

function lack({ quota, load }: Part): number {
  return quota - load;
}

/** How many each hands over, so that all have their share, rounded down or up: from whoever has most above his. */
function take(parts: readonly Part[], coming: number): Map<string, number> {
  const sheds = new Map<string, number>();
  let lacking = 0;
  let above = 0;
  for (const { quota, load } of parts) {
    lacking += Math.max(0, Math.floor(quota + TINY) - load);
    above += Math.max(0, load - Math.ceil(quota - TINY));
  }
  for (let moves = Math.max(lacking, above) - coming; moves > 0; moves--) {
    const giver = richest(parts);
    if (giver === undefined) break;
    giver.load--;
    sheds.set(giver.member.id, (sheds.get(giver.member.id) ?? 0) + 1);
  }
  return sheds;
}

/** A share of 3 may be computed as 2.9999. */
const TINY = 1e-9;

/** Who has most above his share rounded down. */
function richest(parts: readonly Part[]): Part | undefined {
  let found: Part | undefined;
  for (const part of parts) {
    if (!part.member.ready || part.load <= Math.floor(part.quota + TINY)) continue;
    if (found === undefined || lack(part) < lack(found)) found = part;
  }
  return found;
}

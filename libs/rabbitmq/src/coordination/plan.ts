import { Heap } from './heap.js';
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
  const takers = ranked(parts, needier);
  for (const shard of free) {
    const taker = takeNeediest(takers, shard);
    if (taker === undefined) {
      unserved.push(shard);
      continue;
    }
    if (sparing && lack(taker) <= 0) break;
    taker.load++;
    takers.push(taker);
    if (!taker.member.ready) continue;
    const claim = claims.get(taker.member.id);
    if (claim === undefined) claims.set(taker.member.id, [shard]);
    else claim.push(shard);
  }
  return { claims, unserved };
}

/** Takes out who lacks most of his share, of those who may have the shard. Whoever can own no more is not looked at again. */
function takeNeediest(takers: Heap<Part>, shard: number): Part | undefined {
  const others: Part[] = [];
  let found: Part | undefined;
  while (found === undefined) {
    const part = takers.take();
    if (part === undefined) break;
    const { member, load } = part;
    if (load >= member.most) continue;
    if (member.able(shard)) found = part;
    else others.push(part);
  }
  for (const part of others) takers.push(part);
  return found;
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
  const moves = Math.max(lacking, above) - coming;
  if (moves <= 0) return sheds;
  const givers = ranked(parts.filter(isGiver), (one, other) => needier(other, one));
  for (let left = moves; left > 0; left--) {
    const giver = givers.take();
    if (giver === undefined) break;
    giver.load--;
    sheds.set(giver.member.id, (sheds.get(giver.member.id) ?? 0) + 1);
    if (isGiver(giver)) givers.push(giver);
  }
  return sheds;
}

/** A share of 3 may be computed as 2.9999. */
const TINY = 1e-9;

/** Whether it has more than its share rounded down, and can hand over. */
function isGiver({ member, quota, load }: Part): boolean {
  return member.ready && load > Math.floor(quota + TINY);
}

function lack({ quota, load }: Part): number {
  return quota - load;
}

function needier(one: Part, other: Part): boolean {
  return lack(one) > lack(other);
}

/** With a thousand processes and ten thousand shards, to look at each process for each shard would take a tenth of a second. */
function ranked(parts: readonly Part[], isBefore: (one: Part, other: Part) => boolean): Heap<Part> {
  const heap = new Heap(isBefore);
  for (const part of parts) heap.push(part);
  return heap;
}

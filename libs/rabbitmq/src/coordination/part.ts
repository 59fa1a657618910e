import { Heap } from './heap.js';
import type { PlanMember } from './situation.js';

/** Somebody in the middle of a plan. */
export interface Part {
  readonly member: PlanMember;
  /** His share, in fractions. */
  readonly quota: number;
  load: number;
}

/** A share of 3 may be computed as 2.9999. */
const TINY = 1e-9;

export function roundedDown({ quota }: Part): number {
  return Math.floor(quota + TINY);
}

export function roundedUp({ quota }: Part): number {
  return Math.ceil(quota - TINY);
}

export function lack({ quota, load }: Part): number {
  return quota - load;
}

export function needier(one: Part, other: Part): boolean {
  return lack(one) > lack(other);
}

/** With a thousand processes and ten thousand shards, to look at each process for each shard would take a tenth of a second. */
export function ranked<T extends Part>(parts: readonly T[], isBefore: (one: T, other: T) => boolean): Heap<T> {
  const heap = new Heap(isBefore);
  for (const part of parts) heap.push(part);
  return heap;
}

/** Whether it is in the place of one that had a share as it has: what had more, when they were fewer, is nobody's to have back. */
export function isReplacement(part: Part): boolean {
  const { size } = part.member.home;
  return size > 0 && size <= roundedUp(part);
}

/** Whether it lacks some of what the one before had. */
export function returns(part: Part): boolean {
  return isReplacement(part) && part.load < Math.min(part.member.home.size, part.member.most);
}

/** Who lacks shards that it is to have rather than others, by shard. */
export function homesOf(parts: readonly Part[]): Map<number, Part> {
  const homes = new Map<number, Part>();
  for (const part of parts.filter(returns)) {
    for (const shard of part.member.home) if (part.member.able(shard)) homes.set(shard, part);
  }
  return homes;
}

import { Heap } from './heap.js';
import type { PlanMember } from './plan.js';

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
export function ranked(parts: readonly Part[], isBefore: (one: Part, other: Part) => boolean): Heap<Part> {
  const heap = new Heap(isBefore);
  for (const part of parts) heap.push(part);
  return heap;
}

/** Who is to have a shard rather than others, where somebody is. */
export function homesOf(parts: readonly Part[]): Map<number, Part> {
  const homes = new Map<number, Part>();
  for (const part of parts) for (const shard of part.member.home) if (part.member.able(shard)) homes.set(shard, part);
  return homes;
}

import { homesOf, isReplacement, needier, ranked, returns, roundedDown, roundedUp, type Part } from './part.js';
import type { Shedding } from './situation.js';

/** Somebody who may hand over shards. */
interface Giver extends Part {
  /** Of his shards those that others are to have who lack them. */
  readonly wanted: number[];
}

/** What each hands over, so that all have their share, rounded down or up: from whoever has too much, and what is wanted first. */
export function take(parts: readonly Part[], coming: number): Map<string, Shedding> {
  const sheds = new Map<string, { count: number; wanted: number[] }>();
  const givers = giversOf(parts);
  let lacking = 0;
  let above = 0;
  for (const part of parts) {
    lacking += Math.max(0, roundedDown(part) - part.load, wantedBack(part, givers));
    above += Math.max(0, part.load - roundedUp(part));
  }
  const ready = ranked(givers, givesBefore);
  for (let left = Math.max(lacking, above) - coming; left > 0; left--) {
    const giver = ready.take();
    if (giver === undefined) break;
    giver.load--;
    const shed = sheds.get(giver.member.id) ?? { count: 0, wanted: [] };
    const wanted = giver.wanted.pop();
    shed.count++;
    if (wanted !== undefined) shed.wanted.push(wanted);
    sheds.set(giver.member.id, shed);
    if (isGiver(giver)) ready.push(giver);
  }
  for (const { wanted } of sheds.values()) wanted.sort((a, b) => a - b);
  return sheds;
}

/**
 * How many of the shards that it had somebody can have back, up to its share rounded up. Two of whom each is to have one more than
 * others would take it from one another without end: so only from those who have it by chance.
 */
function wantedBack(part: Part, givers: readonly Giver[]): number {
  if (!returns(part)) return 0;
  const { home } = part.member;
  let count = 0;
  for (const giver of givers) {
    if (isAtHome(giver)) continue;
    const spare = giver.load - roundedDown(giver);
    count += Math.min(spare, giver.wanted.filter((shard) => home.has(shard)).length);
  }
  return Math.min(count, home.size - part.load, part.member.most - part.load);
}

/** Whether it has no more than the one before. */
function isAtHome(part: Part): boolean {
  return isReplacement(part) && part.load <= part.member.home.size;
}

/** Whether it has more than its share rounded down, and can hand over. */
function isGiver(part: Part): boolean {
  return part.member.ready && part.load > roundedDown(part);
}

function giversOf(parts: readonly Part[]): Giver[] {
  const homes = homesOf(parts);
  return parts.filter(isGiver).map((part) => {
    const isWanted = (shard: number): boolean => homes.has(shard) && homes.get(shard) !== part;
    return { ...part, wanted: homes.size === 0 ? [] : part.member.staying.filter(isWanted) };
  });
}

/**
 * Who gives first: whoever has too much, even where shares are rounded up; then whoever has what is wanted elsewhere; then whoever does
 * not have just what is his.
 */
const FIRST: readonly ((giver: Giver) => boolean)[] = [
  (giver) => giver.load > roundedUp(giver),
  ({ wanted }) => wanted.length > 0,
  (giver) => !isAtHome(giver),
];

/** Of two that are alike in this, whoever has most. */
function givesBefore(one: Giver, other: Giver): boolean {
  for (const holds of FIRST) if (holds(one) !== holds(other)) return holds(one);
  return needier(other, one);
}

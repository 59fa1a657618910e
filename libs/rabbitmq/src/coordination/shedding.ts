import { homesOf, needier, ranked, roundedDown, roundedUp, type Part } from './part.js';

/** Somebody who may hand over shards. */
interface Giver extends Part {
  /** How many of his shards others are to have who lack them. They are those that he got last. */
  wanted: number;
}

/** How many each hands over, so that all have their share, rounded down or up. */
export function take(parts: readonly Part[], coming: number): Map<string, number> {
  const sheds = new Map<string, number>();
  let lacking = 0;
  let above = 0;
  for (const part of parts) {
    lacking += Math.max(0, due(part) - part.load);
    above += Math.max(0, part.load - roundedUp(part));
  }
  const moves = Math.max(lacking, above) - coming;
  if (moves <= 0) return sheds;
  const givers = ranked(giversOf(parts), (one, other) => givesBefore(one as Giver, other as Giver));
  for (let left = moves; left > 0; left--) {
    const giver = givers.take() as Giver | undefined;
    if (giver === undefined) break;
    giver.load--;
    giver.wanted--;
    sheds.set(giver.member.id, (sheds.get(giver.member.id) ?? 0) + 1);
    if (isGiver(giver)) givers.push(giver);
  }
  return sheds;
}

/** Shares are rounded down, but for whoever is to have one more of those that were there before. */
function due(part: Part): number {
  return Math.min(part.member.most, roundedUp(part), Math.max(roundedDown(part), part.member.home.size));
}

/** Whether it has more than its share rounded down, and can hand over. */
function isGiver(part: Part): boolean {
  return part.member.ready && part.load > roundedDown(part);
}

function giversOf(parts: readonly Part[]): Giver[] {
  const homes = homesOf(parts.filter((part) => due(part) > part.load));
  return parts.filter(isGiver).map((part) => {
    const isWanted = (shard: number): boolean => homes.has(shard) && homes.get(shard) !== part;
    return { ...part, wanted: homes.size === 0 ? 0 : part.member.staying.filter(isWanted).length };
  });
}

/** Whoever has too much, even where shares are rounded up; then whoever has what is wanted elsewhere; then whoever has most. */
function givesBefore(one: Giver, other: Giver): boolean {
  const [tooMuch, otherTooMuch] = [one, other].map((part) => part.load > roundedUp(part));
  if (tooMuch !== otherTooMuch) return tooMuch!;
  const [wanted, otherWanted] = [one, other].map((part) => part.wanted > 0);
  if (wanted !== otherWanted) return wanted!;
  return needier(other, one);
}

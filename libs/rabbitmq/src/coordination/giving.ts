import type { Heap } from './heap.js';
import { homesOf, lack, needier, ranked, roundedDown, type Part } from './part.js';

/** Who gets which of the free shards. */
interface Given {
  readonly claims: Map<string, number[]>;
  /** Those that nobody may own. */
  readonly unserved: number[];
}

/**
 * Each goes where it was before, or to whoever lacks most. A shard whose taker still carries out an order is given to him later.
 * @param sparing whether what is above everybody's share is kept for others
 */
export function give(parts: readonly Part[], free: readonly number[], sparing: boolean): Given {
  const given: Given = { claims: new Map(), unserved: [] };
  const others = giveHome(parts, free, given);
  const takers = ranked(parts, needier);
  for (const shard of others) {
    const taker = takeNeediest(takers, shard);
    if (taker === undefined) {
      given.unserved.push(shard);
      continue;
    }
    if (sparing && lack(taker) <= 0) break;
    giveTo(taker, shard, given);
    takers.push(taker);
  }
  return given;
}

/**
 * Gives shards to whoever is to have them rather than others, and lacks any: above his share rounded down, where others have theirs or
 * get it of what is left. Returns the others.
 */
function giveHome(parts: readonly Part[], free: readonly number[], given: Given): readonly number[] {
  const homes = homesOf(parts);
  if (homes.size === 0) return free;
  let spare = free.length;
  for (const part of parts) spare -= Math.max(0, roundedDown(part) - part.load);
  return free.filter((shard) => {
    const home = homes.get(shard);
    if (home === undefined || lack(home) <= 0 || home.load >= home.member.most) return true;
    const isExtra = home.load >= roundedDown(home);
    if (isExtra && spare <= 0) return true;
    if (isExtra) spare--;
    giveTo(home, shard, given);
    return false;
  });
}

function giveTo(taker: Part, shard: number, { claims }: Given): void {
  taker.load++;
  const { id, ready } = taker.member;
  if (!ready) return;
  const claim = claims.get(id);
  if (claim === undefined) claims.set(id, [shard]);
  else claim.push(shard);
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

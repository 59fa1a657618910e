import { give } from './giving.js';
import type { Part } from './part.js';
import { quotasOf, type Sharer } from './share.js';
import { take } from './shedding.js';
import type { Plan, Situation } from './situation.js';

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

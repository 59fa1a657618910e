/** Who wants a part of the shards. */
export interface Sharer {
  /** Its part beside the others' weights. */
  readonly weight: number;
  /** Most shards that it may own. */
  readonly most: number;
}

/**
 * How many of the shards each is to have, in fractions: by their weights, and no more than its most. What somebody may not have
 * the others share.
 */
export function quotasOf(total: number, sharers: readonly Sharer[]): number[] {
  const quotas = sharers.map(() => 0);
  let open = sharers.map((_, index) => index);
  let left = total;
  while (open.length > 0) {
    const weights = open.reduce((sum, index) => sum + sharers[index]!.weight, 0);
    const each = left / weights;
    const full = open.filter((index) => sharers[index]!.most <= sharers[index]!.weight * each);
    if (full.length === 0) {
      for (const index of open) quotas[index] = sharers[index]!.weight * each;
      break;
    }
    for (const index of full) {
      quotas[index] = sharers[index]!.most;
      left -= sharers[index]!.most;
    }
    open = open.filter((index) => !full.includes(index));
  }
  return quotas;
}

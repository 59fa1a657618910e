/** A process as its share is reckoned. */
export interface Holder {
  readonly name: string;
  readonly weight: number;
  readonly maxShards: number;
  readonly owned: number;
}

/**
 * What each should own of so many shards, in fractions: in proportion to its weight, and no more than its most. Found by halving,
 * another way than the library's, so that a fault of one is not a fault of both.
 */
export function sharesOf(shards: number, holders: readonly Pick<Holder, 'weight' | 'maxShards'>[]): number[] {
  const at = (each: number): number[] => holders.map(({ weight, maxShards }) => Math.min(maxShards, weight * each));
  const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
  let [low, high] = [0, shards / Math.min(...holders.map(({ weight }) => weight))];
  for (let times = 0; times < 200; times++) {
    const middle = (low + high) / 2;
    if (sum(at(middle)) < shards) low = middle;
    else high = middle;
  }
  return at(high);
}

/** Those who do not own their share, rounded down or up, of so many shards. */
export function unlevel(shards: number, holders: readonly Holder[]): string[] {
  const TINY = 1e-6;
  return sharesOf(shards, holders).flatMap((share, index) => {
    const { name, owned } = holders[index]!;
    const [least, most] = [Math.floor(share + TINY), Math.ceil(share - TINY)];
    return owned >= least && owned <= most ? [] : [`${name} owns ${owned} instead of ${least} to ${most}`];
  });
}

/** Whether all shards are owned, and each process has its share, rounded down or up. */
export function isLevel(shares: readonly number[], shards: number): boolean {
  const exact = shards / shares.length;
  return sumOf(shares) === shards && shares.every((share) => share >= Math.floor(exact) && share <= Math.ceil(exact));
}

/** The fewest shards that have to change hands until shares are level, those without an owner left out. */
export function neededMoves(shares: readonly number[], shards: number): number {
  const floor = Math.floor(shards / shares.length);
  const ceils = shards % shares.length;
  // Who has the most may keep one more.
  const descending = shares.toSorted((a, b) => b - a);
  return sumOf(descending.map((share, index) => Math.max(0, share - floor - (index < ceils ? 1 : 0))));
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

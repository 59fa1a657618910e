/** Pairs: at most so many milliseconds, and how many took that. In any order. */
export type Times = readonly (readonly [atMost: number, count: number])[];

/** What this part of all took at most; `null` of none. Milliseconds. */
export function quantileOf(times: Times, part: number): number | null {
  const sorted = [...times].sort(([a], [b]) => a - b);
  const wanted = part * sorted.reduce((total, [, count]) => total + count, 0);
  let seen = 0;
  for (const [atMost, count] of sorted) {
    seen += count;
    if (seen >= wanted) return atMost;
  }
  return null;
}

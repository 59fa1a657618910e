/** Steps of the scale that a doubling is divided into: so fine that a quantile is right to a fifth. */
const STEPS = 4;
/** Of the shortest time that is told apart: a quarter of a millisecond. */
const FIRST = -2 * STEPS;
const LAST = 24 * STEPS;
/** Keys that are told of. */
const MOST_KEYS = 5;

/** A key, and what of it was finished. */
export interface BusyId {
  readonly id: string;
  readonly finished: number;
}

/** What a shard finishes while somebody looks: how long each message took, and which keys have most of them. */
export class FinishWatch {
  private readonly counts = new Map<number, number>();
  private readonly keys = new Map<string, number>();

  /** @param time since the message was delivered, milliseconds */
  finished(id: string, time: number): void {
    const step = Math.min(LAST, Math.max(FIRST, Math.ceil(Math.log2(time) * STEPS)));
    this.counts.set(step, (this.counts.get(step) ?? 0) + 1);
    this.keys.set(id, (this.keys.get(id) ?? 0) + 1);
  }

  /** Pairs: at most so many milliseconds, and how many took that; the shortest first. */
  get times(): (readonly [atMost: number, count: number])[] {
    return [...this.counts].sort(([a], [b]) => a - b).map(([step, count]) => [2 ** (step / STEPS), count]);
  }

  get busiest(): BusyId[] {
    const all = [...this.keys].map(([id, finished]) => ({ id, finished }));
    return all.sort((a, b) => b.finished - a.finished).slice(0, MOST_KEYS);
  }
}

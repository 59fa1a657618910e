import type { Clock } from '../../clock/clock.interface.js';

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

/** Messages of a look that are all looked at; of those behind them one in so many, for as many. */
const ALL_OF = 64;
const ONE_IN = 16;

/**
 * What a shard finishes while somebody looks: how long messages took, and which keys have most of them. Where there are many it looks
 * at some: at full speed it would cost a tenth of what a message does.
 */
export class FinishWatch {
  private seen = 0;
  private readonly counts = new Map<number, number>();
  private readonly keys = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** @param receivedAt when the message was delivered, on the engine's clock */
  finished(id: string, receivedAt: number): void {
    const all = ++this.seen <= ALL_OF;
    if (!all && this.seen % ONE_IN !== 0) return;
    const weight = all ? 1 : ONE_IN;
    const time = this.clock.now() - receivedAt;
    const step = Math.min(LAST, Math.max(FIRST, Math.ceil(Math.log2(time) * STEPS)));
    this.counts.set(step, (this.counts.get(step) ?? 0) + weight);
    this.keys.set(id, (this.keys.get(id) ?? 0) + weight);
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

import type { Seeded } from '#support/seeded.js';

/** Of all messages so many go to the hot keys. */
const HOT_SHARE = 0.5;

/** Messages per second that a hot key carries, with retries and faults: what its handler needs for them fills half the time. */
const HOT_RATE = 12;

/** At most so many of the keys are hot. */
const MOST_HOT = 0.2;

/** Messages of a hot key come in bursts, so that some always wait. */
const LONGEST_BURST = 10;
const MEAN_BURST = (1 + LONGEST_BURST) / 2;

/**
 * Which key the next message goes to. With messages spread evenly over many keys hardly any would have a second one waiting,
 * and order would hardly be tested; so half of them go to as few keys as can carry them.
 */
export class Popularity {
  private readonly hot: readonly number[];
  /** How often a burst is begun instead of a single message. */
  private readonly bursts: number;
  private burst = { key: -1, left: 0 };

  /**
   * @param keys in an order that the seed fixes: the first are the hot ones
   * @param rate messages per second that go to these keys
   */
  constructor(
    private readonly keys: readonly number[],
    rate: number,
    private readonly random: Seeded,
  ) {
    const most = Math.ceil(keys.length * MOST_HOT);
    this.hot = keys.slice(0, Math.min(most, Math.max(1, Math.round((rate * HOT_SHARE) / HOT_RATE))));
    const share = Math.min(HOT_SHARE, (this.hot.length * HOT_RATE) / rate);
    this.bursts = share / (share + MEAN_BURST * (1 - share));
  }

  next(): number {
    if (this.burst.left > 0) {
      this.burst.left--;
      return this.burst.key;
    }
    if (this.random.next() >= this.bursts) return this.random.pick(this.keys);
    this.burst = { key: this.random.pick(this.hot), left: this.random.below(LONGEST_BURST) };
    return this.burst.key;
  }
}

/** The same items in another order. */
export function shuffled<T>(items: readonly T[], random: Seeded): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0]!);
}

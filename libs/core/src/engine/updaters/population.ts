import { DeadlineList, type DeadlineItem } from '../base/deadline-list.js';
import type { Environment } from '../base/environment.js';

/** A key that may rest. */
export interface RestingKey extends DeadlineItem {
  /** Ends its data updater, unless a callback runs or is due; an idle one only while it still rests. */
  deactivate(reason: 'idle' | 'evicted'): void;
}

/** The data updaters that live in this instance: how many, and which of them rested long enough to go. */
export class Population {
  private living = 0;
  /** Those among them that are about to end. */
  private leaving = 0;
  /** Keys with a data updater and nothing to do; the one that has rested the longest is first. */
  private readonly resting: DeadlineList<RestingKey>;

  constructor(private readonly environment: Environment) {
    const { clock, options } = environment;
    // A state that has expired in the store must not live on here.
    const longest = Math.min(options.idleTimeout, options.stateTtl);
    this.resting = new DeadlineList(clock, longest, (key) => key.deactivate('idle'));
  }

  get size(): number {
    return this.living;
  }

  /** Whether any key rests with its data updater. */
  get anyRests(): boolean {
    return this.resting.peek() !== undefined;
  }

  /** Whether more live than may. */
  get crowded(): boolean {
    return this.living - this.leaving > this.environment.options.maxLiveKeys;
  }

  /** A data updater has started. */
  started(): void {
    this.living++;
    this.evict();
  }

  /** A data updater is to end. */
  ending(): void {
    this.leaving++;
  }

  /** It has ended. */
  ended(): void {
    this.living--;
    this.leaving--;
  }

  rests(key: RestingKey): void {
    this.resting.add(key, this.environment.round.time);
    this.evict();
  }

  wakes(key: RestingKey): void {
    this.resting.remove(key);
  }

  stop(): void {
    this.resting.stop();
  }

  private evict(): void {
    while (this.crowded) {
      const key = this.resting.peek();
      if (key === undefined) return;
      this.resting.remove(key);
      key.deactivate('evicted');
    }
  }
}

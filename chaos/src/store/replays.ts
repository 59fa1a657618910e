import { refOfId } from '@mississippi/history';
import type { Place, PlacePlan } from '../place.js';
import { bookingOf } from './bookings.js';
import type { Letters } from './letters.js';

/** How many at once, at most. */
const MOST = 3;

/** Dead letters that an operator publishes again, mended. */
export class Replays {
  /** Ids of published messages that were discarded. */
  readonly chosen = new Set<string>();

  constructor(
    private readonly letters: Letters,
    private readonly publishers: readonly Place[],
    private readonly plan: PlacePlan,
  ) {}

  /** Replays some that were not. Returns whether there were any. */
  async more(): Promise<boolean> {
    await this.letters.collect();
    const fresh = [...this.letters.ids.keys()].filter((id) => !this.chosen.has(id) && this.isDiscarded(id));
    for (const id of fresh.slice(0, MOST)) {
      this.chosen.add(id);
      this.send(id);
    }
    return fresh.length > 0;
  }

  /** Replays all once more: whoever was to do it may have been killed, and a repeat of a replay has no effect. */
  again(): void {
    for (const id of this.chosen) this.send(id);
  }

  /** Each twice, by whoever is up. */
  private send(id: string): void {
    const { key, seq } = refOfId(id);
    for (const place of this.publishers.filter(({ up }) => up).slice(0, 2)) place.send({ type: 'replay', key, seq });
  }

  private isDiscarded(id: string): boolean {
    const { key, seq } = refOfId(id);
    return seq >= 0 && bookingOf('published', key, seq, this.plan)?.discard === true && id === `${key}#${seq}`;
  }
}

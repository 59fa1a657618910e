import { Seeded } from '../../../../../test/support/seeded.js';

/** The least and the most. */
export type Range = readonly [least: number, most: number];

export class Dice extends Seeded {
  between([least, most]: Range): number {
    return least + this.next() * (most - least);
  }

  /** Whether something happens that happens so often, of 1. */
  happens(often: number): boolean {
    return this.next() < often;
  }
}

import type { Reading } from '../rabbitmq/reading.js';

/** What every program keeps for a key: about 150 bytes of JSON. */
export interface Total {
  readonly count: number;
  readonly last: Reading | undefined;
}

export const NO_TOTAL: Total = { count: 0, last: undefined };

export function add({ count }: Total, last: Reading): Total {
  return { count: count + 1, last };
}

/** The states of who keeps them in memory beside the database, which none but one process can do. */
export class Totals {
  private readonly totals = new Map<string, Total>();

  /** The new state, as it is stored. */
  add(key: string, reading: Reading): Buffer {
    const total = add(this.totals.get(key) ?? NO_TOTAL, reading);
    this.totals.set(key, total);
    return Buffer.from(JSON.stringify(total));
  }
}

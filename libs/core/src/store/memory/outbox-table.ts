import { copyMessage } from './copies.js';
import type { OutboxMessage, OutboxPosition, OutboxRow } from '../store.interface.js';

/** The rows of one shard. */
export class OutboxTable {
  /** In the order of their positions. */
  private rows: OutboxRow[] = [];

  /** Commits of a shard come in the order of their positions. */
  write(position: OutboxPosition, message: OutboxMessage): void {
    this.rows.push({ position, message });
  }

  remove(position: OutboxPosition): void {
    const index = this.firstFrom(position);
    const row = this.rows[index];
    if (row !== undefined && compare(row.position, position) === 0) this.rows.splice(index, 1);
  }

  read(after: OutboxPosition | undefined, limit: number): OutboxRow[] {
    const from = after === undefined ? 0 : this.firstFrom({ ...after, index: after.index + 1 });
    return this.rows
      .slice(from, from + limit)
      .map(({ position, message }) => ({ position: { ...position }, message: copyMessage(message) }));
  }

  /** Place of the first row that does not stand before the position. */
  private firstFrom(position: OutboxPosition): number {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.rows[middle]!.position, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(one: OutboxPosition, other: OutboxPosition): number {
  return one.epoch - other.epoch || one.commit - other.commit || one.index - other.index;
}

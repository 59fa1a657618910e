/** What processes have the broker do. */
export type Operation =
  | 'look at a shard'
  | 'look at an address'
  | 'look for a coordinator'
  | 'count members'
  | 'claim'
  | 'verify'
  | 'give back'
  | 'join'
  | 'leave'
  | 'campaign'
  | 'remember'
  | 'report'
  | 'mark'
  | 'settle'
  | 'order'
  | 'answer';

/** How often each was done. */
export class Operations {
  private readonly counts = new Map<Operation, number>();

  add(operation: Operation): void {
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1);
  }

  of(operation: Operation): number {
    return this.counts.get(operation) ?? 0;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** From the most frequent on. */
  get list(): [Operation, number][] {
    return [...this.counts].sort(([, a], [, b]) => b - a);
  }

  clear(): void {
    this.counts.clear();
  }
}

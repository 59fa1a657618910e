/**
 * A transaction of a service, by `MemoryStoreDatabase.begin()`: for tests of what publishes with `{ transaction }`.
 * @publicApi
 */
export class MemoryTransaction {
  private work: (() => void)[] = [];
  private ended = false;

  /** Makes what was published with it exist. */
  async commit(): Promise<void> {
    this.end();
    for (const step of this.work.splice(0)) step();
  }

  /** Forgets what was published with it. */
  async rollback(): Promise<void> {
    this.end();
    this.work = [];
  }

  /** @internal */
  atCommit(step: () => void): void {
    if (this.ended) throw new Error('The transaction is over.');
    this.work.push(step);
  }

  private end(): void {
    if (this.ended) throw new Error('The transaction is over.');
    this.ended = true;
  }
}

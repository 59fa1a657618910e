/** A process took a shard. */
export interface Taking {
  readonly shard: number;
  readonly owner: string;
  readonly at: number;
  /** Whether it never had this shard before. */
  readonly first: boolean;
}

/** Who owned which shard when, as the processes told it; what two of them tell may come in any order. */
export class OwnershipRecord {
  private readonly takings: Taking[] = [];
  private readonly givings = new Map<number, number[]>();
  private readonly owned = new Map<string, Set<number>>();
  private readonly had = new Set<string>();

  took(owner: string, shard: number, at: number): void {
    const first = !this.had.has(`${owner} ${shard}`);
    this.had.add(`${owner} ${shard}`);
    this.takings.push({ shard, owner, at, first });
    this.shardsOf(owner).add(shard);
  }

  gave(owner: string, shard: number, at: number): void {
    if (!this.shardsOf(owner).delete(shard)) return;
    const givings = this.givings.get(shard);
    if (givings === undefined) this.givings.set(shard, [at]);
    else givings.push(at);
  }

  /** A process has gone, and with it whatever it still had. */
  gone(owner: string, at: number): void {
    for (const shard of this.shardsOf(owner)) this.gave(owner, shard, at);
  }

  /** The shards that a process owns. */
  shardsOf(owner: string): Set<number> {
    const known = this.owned.get(owner) ?? new Set();
    this.owned.set(owner, known);
    return known;
  }

  /** How many shards have an owner among some processes. */
  served(owners: readonly string[]): number {
    return new Set(owners.flatMap((owner) => [...this.shardsOf(owner)])).size;
  }

  takingsSince(from: number): Taking[] {
    return this.takings.filter(({ at }) => at >= from);
  }

  /** How long each shard that was given back and taken again rested in between. Milliseconds. */
  pausesSince(from: number): number[] {
    return this.takingsSince(from).flatMap(({ shard, at }) => {
      const givings = this.givings.get(shard)?.filter((gave) => gave >= from && gave <= at) ?? [];
      return givings.length === 0 ? [] : [at - Math.max(...givings)];
    });
  }
}

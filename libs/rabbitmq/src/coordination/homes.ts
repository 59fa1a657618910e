/** For how long the shards of a process that has ended are kept for another that starts in its place. Milliseconds. */
const KEPT = 10 * 60_000;
/** How long a process may take to get them: handlers may take their time until a shard is free. Milliseconds. */
const MOVING_IN = 60_000;
/** How long a process that has just started waits for those of one whose end is found out later. Milliseconds. */
const WAITING = 5_000;

interface Group {
  readonly shards: ReadonlySet<number>;
  readonly at: number;
}

const NOTHING: ReadonlySet<number> = new Set();

/**
 * Which shards whoever starts in the place of a process that has ended is to have: those that it had. So in a rolling restart each
 * shard goes away once and comes back once, also where the shares are no whole numbers.
 */
export class Homes {
  /** Of those that have ended, the oldest first. */
  private readonly vacant: Group[] = [];
  private readonly taken = new Map<string, Group>();
  /** Who has started and found nothing vacant, and when. */
  private readonly waiting = new Map<string, number>();

  /** A process has ended that had these shards. */
  left(id: string, shards: readonly number[], now: number): void {
    this.waiting.delete(id);
    this.taken.delete(id);
    if (shards.length === 0) return;
    this.vacant.push({ shards: new Set(shards), at: now });
    this.expire(now);
    const [next] = this.waiting.keys();
    if (next !== undefined) this.joined(next, now);
  }

  /** A process has started. */
  joined(id: string, now: number): void {
    this.expire(now);
    const group = this.vacant.shift();
    if (group === undefined) this.waiting.set(id, now);
    else {
      this.waiting.delete(id);
      this.taken.set(id, { shards: group.shards, at: now });
    }
  }

  /** The shards that a process is to have rather than others. */
  of(id: string, now: number): ReadonlySet<number> {
    const group = this.taken.get(id);
    return group !== undefined && now - group.at < MOVING_IN ? group.shards : NOTHING;
  }

  private expire(now: number): void {
    while (this.vacant.length > 0 && now - this.vacant[0]!.at >= KEPT) this.vacant.shift();
    for (const [id, at] of this.waiting) if (now - at >= WAITING) this.waiting.delete(id);
    for (const [id, { at }] of this.taken) if (now - at >= MOVING_IN) this.taken.delete(id);
  }
}

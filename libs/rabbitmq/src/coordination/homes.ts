/** For how long the shards of a process that has ended are kept for another that starts in its place. Milliseconds. */
const KEPT = 10 * 60_000;
/** How long a process may take to get them: handlers may take their time until a shard is free. Milliseconds. */
const MOVING_IN = 60_000;
/**
 * How long a process that has just started waits for those of one whose end is found out later. Whoever started no earlier than so long
 * before it is not the one in whose place it is: they started together. Milliseconds.
 */
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
  /** Who has started lately, and when. */
  private readonly started = new Map<string, number>();

  /** A process has ended that had these shards. */
  left(id: string, shards: readonly number[], now: number): void {
    const home = this.of(id, now);
    const since = this.started.get(id) ?? -Infinity;
    this.started.delete(id);
    this.taken.delete(id);
    // Who ended before it had all that it was to have leaves that to the next.
    const left = home.size > shards.length ? home : new Set(shards);
    if (left.size === 0) return;
    this.vacant.push({ shards: left, at: now });
    this.expire(now);
    const next = [...this.started].find(([other, at]) => this.isWaiting(other, at, now) && at - since >= WAITING);
    if (next !== undefined) this.settle(next[0], now);
  }

  /** A process has started. */
  joined(id: string, now: number): void {
    this.expire(now);
    this.started.set(id, now);
    this.settle(id, now);
  }

  /** Another coordinator has said, at some time before, what a process is to have. */
  told(id: string, shards: readonly number[], at: number): void {
    if (shards.length > 0) this.taken.set(id, { shards: new Set(shards), at });
  }

  /** The shards that a process is to have rather than others. */
  of(id: string, now: number): ReadonlySet<number> {
    const group = this.taken.get(id);
    return group !== undefined && now - group.at < MOVING_IN ? group.shards : NOTHING;
  }

  private settle(id: string, now: number): void {
    const group = this.vacant.shift();
    if (group !== undefined) this.taken.set(id, { shards: group.shards, at: now });
  }

  private isWaiting(id: string, at: number, now: number): boolean {
    return now - at < WAITING && !this.taken.has(id);
  }

  private expire(now: number): void {
    while (this.vacant.length > 0 && now - this.vacant[0]!.at >= KEPT) this.vacant.shift();
    for (const [id, at] of this.started) if (now - at >= 2 * WAITING) this.started.delete(id);
    for (const [id, { at }] of this.taken) if (now - at >= MOVING_IN) this.taken.delete(id);
  }
}

/** How soon to look again at a shard that has just lost its owner: after as long as that is ago, but not sooner. Milliseconds. */
const SOONEST = 50;
/** From then on it is one of those that are looked at in turn. Milliseconds. */
const FRESH = 2_000;
/** For how long a look counts. Milliseconds. */
const VALID = 1_000;
/** How long one that could not be looked at is left alone, the first time in a row and at most. Milliseconds. */
const REST = 500;
const LONGEST_REST = 30_000;

/** What the last look at a shard without a known owner has shown. */
interface Unowned {
  readonly since: number;
  lookedAt: number;
  consumers: number | undefined;
  /** How often in a row it could not be looked at. */
  failures: number;
  /** Since when it has no consumer. */
  freeSince: number | undefined;
}

/** Shards that belong to none of the members: free ones, and those of strangers. */
export class UnownedShards {
  private readonly shards = new Map<number, Unowned>();

  /** @param owned whether a shard belongs to a member, or is being claimed by one */
  update(total: number, owned: (shard: number) => boolean, now: number): void {
    for (let shard = 0; shard < total; shard++) {
      if (owned(shard)) this.shards.delete(shard);
      else if (!this.shards.has(shard))
        this.shards.set(shard, {
          since: now,
          lookedAt: -Infinity,
          consumers: undefined,
          failures: 0,
          freeSince: undefined,
        });
    }
  }

  /**
   * Those to look at now: those that were not looked at yet and those that have lost their owner lately; those that were free
   * and may be given; and some of the others in turn.
   * @param some how many of the others
   * @param wanted whether somebody could own more
   */
  due(now: number, some: number, wanted: boolean): number[] {
    const due: number[] = [];
    const others: [shard: number, lookedAt: number][] = [];
    for (const [shard, seen] of this.shards) {
      const { since, lookedAt, consumers } = seen;
      if (now < lookedAt + restOf(seen)) continue;
      if (lookedAt === -Infinity || (wanted && consumers === 0 && now - lookedAt >= VALID)) due.push(shard);
      else if (now - since >= FRESH) others.push([shard, lookedAt]);
      else if (now >= nextLook(since, lookedAt)) due.push(shard);
    }
    if (some > 0 && others.length > 0) {
      others.sort(([, a], [, b]) => a - b);
      for (const [shard] of others.slice(0, some)) due.push(shard);
    }
    return due;
  }

  /** When the next of those that have lost their owner lately is due; `undefined` where there is none. */
  nextDue(): number | undefined {
    let next: number | undefined;
    for (const { since, lookedAt, failures } of this.shards.values()) {
      if (failures > 0) continue;
      const at = lookedAt === -Infinity ? since : nextLook(since, lookedAt);
      const isFresh = lookedAt === -Infinity || at - since < FRESH;
      if (isFresh && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  /** @param consumers `undefined` where it could not be looked at */
  looked(shard: number, consumers: number | undefined, now: number): void {
    const seen = this.shards.get(shard);
    if (seen === undefined) return;
    seen.lookedAt = now;
    seen.consumers = consumers;
    seen.failures = consumers === undefined ? seen.failures + 1 : 0;
    if (consumers !== 0) seen.freeSince = undefined;
    else seen.freeSince ??= now;
  }

  /** Those without an owner, as was seen lately. */
  free(now: number): number[] {
    return this.where(({ consumers, lookedAt }) => consumers === 0 && now - lookedAt < VALID);
  }

  /** How many have just lost their owner, and are not known to be free or a stranger's yet. */
  unsettled(now: number): number {
    const isUnsettled = ({ since, lookedAt, consumers }: Unowned): boolean =>
      lookedAt === -Infinity || (consumers !== 0 && now - since < FRESH);
    return this.where(isUnsettled).length;
  }

  /** Those that had no owner for some milliseconds. */
  freeFor(milliseconds: number, now: number): number[] {
    return this.where(({ freeSince }) => freeSince !== undefined && now - freeSince >= milliseconds);
  }

  /** Those that somebody consumes who is no member. */
  foreign(now: number): number[] {
    return this.where(({ consumers, since }) => (consumers ?? 0) > 0 && now - since >= FRESH);
  }

  private where(test: (seen: Unowned) => boolean): number[] {
    return [...this.shards].filter(([, seen]) => test(seen)).map(([shard]) => shard);
  }
}

/** Each look in vain may cost a channel. */
function restOf({ failures }: Unowned): number {
  return failures === 0 ? 0 : Math.min(LONGEST_REST, REST * 2 ** (failures - 1));
}

/** When a shard that has just lost its owner is looked at again. */
function nextLook(since: number, lookedAt: number): number {
  return lookedAt + Math.max(SOONEST, lookedAt - since);
}

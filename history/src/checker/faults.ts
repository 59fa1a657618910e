import { EVERYBODY, type EventOf, type FaultName } from '../events.js';
import type { Findings } from './promises.js';

/**
 * For how long after a fault a process cannot know of it: what it starts meanwhile counts as started before. A reset must
 * be read first, a stop signal be delivered; of a freeze it need not know, since nobody gets its shards so soon. Whoever is
 * connected to another node of a cluster hears of a lost one when its successor is elected. Milliseconds.
 */
const NOTICE: Readonly<Record<FaultName, number>> = {
  kill: 5,
  stop: 5,
  stall: 5,
  cut: 50,
  channel: 50,
  broker: 50,
  wipe: 50,
  queue: 50,
  freeze: 0,
  alarm: 0,
  lose: 0,
  node: 15_000,
};

interface Struck {
  readonly fault: FaultName;
  readonly order: number;
  /** On the monotonic clock; `Infinity` while it goes on to strike. */
  knownAt: number;
  readonly shard: number | undefined;
}

/** Whom which fault has struck. */
export class Faults {
  /** A broker lost what it had in memory. */
  broker = false;
  private readonly strikes = new Map<string, Struck[]>();

  constructor(private readonly findings: Findings) {}

  fault({ fault, target, mono, shard }: EventOf<'fault'>): void {
    if (fault === 'broker' || fault === 'wipe') this.broker = true;
    // Whoever gets the shard meanwhile loses it again.
    const knownAt = fault === 'queue' ? Infinity : mono + NOTICE[fault];
    const struck = { fault, order: this.findings.order, knownAt, shard };
    const strikes = this.strikes.get(target);
    if (strikes === undefined) this.strikes.set(target, [struck]);
    else strikes.push(struck);
  }

  healed({ fault, target, shard, mono }: EventOf<'healed'>): void {
    for (const struck of this.strikes.get(target) ?? []) {
      if (struck.fault === fault && struck.shard === shard && struck.knownAt === Infinity)
        struck.knownAt = mono + NOTICE[fault];
    }
  }

  /** Whether a fault struck a process, as far as a shard is concerned, after something that it did. */
  struckSince(
    process: string,
    shard: number,
    what: { readonly order: number; readonly since?: number; readonly openedAt?: number },
  ): boolean {
    const strikes = [...(this.strikes.get(process) ?? []), ...(this.strikes.get(EVERYBODY) ?? [])];
    return strikes.some(
      (struck) =>
        (struck.shard === undefined || struck.shard === shard) &&
        (struck.order > what.order ||
          struck.knownAt > (what.since ?? Infinity) ||
          // It strikes again whoever comes.
          (struck.fault === 'queue' && struck.knownAt > (what.openedAt ?? Infinity))),
    );
  }
}

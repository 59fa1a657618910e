import { EVERYBODY, type FaultName, type HistoryEvent } from '@mississippi/history';

/** Why a shard was unserved. `other`: it was lost, or its process ended, without a fault. */
export type Cause = FaultName | 'handOver' | 'other';

/** How long a shard had nobody who could handle its messages. */
export interface Unserved {
  readonly shard: number;
  /** When it began, on the monotonic clock. */
  readonly since: number;
  readonly milliseconds: number;
  /** What began it. */
  readonly cause: Cause;
}

/** Faults under which a process handles nothing, or reaches nobody, until they are healed. */
const HALTING = new Set(['stop', 'stall', 'freeze', 'broker', 'wipe']);

/** Which process serves which shard, and how long nobody did, as the events tell it one by one. */
export class Service {
  readonly unserved: Unserved[] = [];
  /** When a shard was taken last, on the monotonic clock. */
  ownedAt = 0;
  private readonly owners = new Map<number, { readonly process: string; readonly epoch: number }>();
  private readonly halted = new Set<string>();
  /** The last fault that struck each process. */
  private readonly struck = new Map<string, { readonly fault: FaultName; readonly mono: number }>();
  /** Shards that somebody owned once. */
  private readonly known = new Set<number>();
  /** Those of them that are not served now. */
  private readonly idleSince = new Map<number, Pick<Unserved, 'since' | 'cause'>>();

  see(event: HistoryEvent): void {
    switch (event.type) {
      case 'owned':
        this.ownedAt = event.mono;
        this.owners.set(event.shard, { process: event.process, epoch: event.epoch });
        break;
      case 'lost':
      case 'released': {
        const owner = this.owners.get(event.shard);
        if (owner?.process === event.process && owner.epoch === event.epoch) this.owners.delete(event.shard);
        break;
      }
      case 'exited':
        for (const [shard, owner] of this.owners) if (owner.process === event.target) this.owners.delete(shard);
        this.halted.delete(event.target);
        break;
      case 'fault':
        this.struck.set(event.shard === undefined ? event.target : `${event.target} ${event.shard}`, event);
        if (HALTING.has(event.fault)) this.halted.add(event.target);
        break;
      case 'healed':
        this.halted.delete(event.target);
        break;
      default:
        return;
    }
    this.measure(event.mono, this.causeOf(event));
  }

  /** Shards that nobody can handle at this moment. */
  get unservedNow(): number {
    return this.idleSince.size;
  }

  /** How many shards each process owns. */
  shares(): Map<string, number> {
    const shares = new Map<string, number>();
    for (const { process } of this.owners.values()) shares.set(process, (shares.get(process) ?? 0) + 1);
    return shares;
  }

  private causeOf(event: HistoryEvent): Cause {
    if (event.type === 'fault') return event.fault;
    if (event.type === 'released') return 'handOver';
    if (event.type === 'exited' && event.how === 'killed') return 'kill';
    if (event.type !== 'lost') return 'other';
    const all = [event.process, EVERYBODY, `${EVERYBODY} ${event.shard}`].map((target) => this.struck.get(target));
    return all.reduce((last, one) => ((one?.mono ?? 0) > (last?.mono ?? 0) ? one : last), undefined)?.fault ?? 'other';
  }

  private measure(now: number, cause: Cause): void {
    for (const shard of this.owners.keys()) this.known.add(shard);
    for (const shard of this.known) {
      const owner = this.owners.get(shard);
      const served = owner !== undefined && !this.halted.has(owner.process) && !this.halted.has(EVERYBODY);
      const idle = this.idleSince.get(shard);
      if (served && idle !== undefined) {
        this.idleSince.delete(shard);
        this.unserved.push({ ...idle, shard, milliseconds: now - idle.since });
      } else if (!served && idle === undefined) {
        this.idleSince.set(shard, { since: now, cause });
      }
    }
  }
}

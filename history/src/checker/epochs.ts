import { epochName, type EpochRef, type EventOf } from '../events.js';
import type { Faults } from './faults.js';
import type { KnownLimits } from './limits.js';
import type { Findings } from './promises.js';
import { epochState, type EpochState } from './records.js';

/** Who owns which shard: at most one process, and nothing starts for an epoch that has ended. */
export class Epochs {
  count = 0;
  private readonly epochs = new Map<string, EpochState>();
  private readonly byProcess = new Map<string, Set<EpochState>>();
  private readonly owners = new Map<number, EpochState>();

  constructor(
    private readonly findings: Findings,
    private readonly limits: KnownLimits,
    private readonly faults: Faults,
  ) {}

  of(process: string, ref: EpochRef): EpochState {
    const name = epochName(process, ref);
    let epoch = this.epochs.get(name);
    if (epoch === undefined) {
      this.epochs.set(name, (epoch = epochState(name, process, ref.shard, this.findings)));
      this.ofProcess(process).add(epoch);
    }
    return epoch;
  }

  all(): Iterable<EpochState> {
    return this.epochs.values();
  }

  ofProcess(process: string): Set<EpochState> {
    let epochs = this.byProcess.get(process);
    if (epochs === undefined) this.byProcess.set(process, (epochs = new Set()));
    return epochs;
  }

  owned(event: EventOf<'owned'>): EpochState {
    this.count++;
    const { process, shard } = event;
    const name = epochName(process, event);
    if (this.epochs.has(name)) this.findings.add('twoOwners', `the epoch ${name} was opened twice`);
    const epoch = this.of(process, event);
    const before = this.owners.get(shard);
    if (before !== undefined && before !== epoch) this.checkSuccession(epoch, before);
    this.owners.set(shard, epoch);
    return epoch;
  }

  private checkSuccession(epoch: EpochState, before: EpochState): void {
    if (before.process !== epoch.process) before.superseded = true;
    // A process hears with a delay that the broker gave its shard to another, but of its own epochs it knows.
    const { process, shard } = before;
    if (process !== epoch.process && this.faults.struckSince(process, shard, before)) return;
    this.findings.add('twoOwners', `${epoch.name} was opened while ${before.name} was open`);
  }

  over(epoch: EpochState, how: 'lost' | 'released' | 'exited'): void {
    epoch.over ??= how;
    if (this.owners.get(epoch.shard) === epoch) this.owners.delete(epoch.shard);
    epoch.queues.clear();
    epoch.unsettled.clear();
  }

  releasing(epoch: EpochState): void {
    epoch.drainEnds ??= this.findings.now + this.limits.drainTimeout;
  }

  /** Nothing but what has begun goes on in an epoch that ends or has ended; `terminate` is the end of what has begun. */
  started(event: EventOf<'started'>, epoch: EpochState, text: string): void {
    const { callback, key } = event;
    if (callback === 'terminate') return;
    const owner = this.owners.get(epoch.shard);
    if (epoch.over !== undefined) {
      this.findings.add('startedInLostEpoch', `${text} started after the end of its epoch`, key);
    } else if (callback === 'handleMessage' && owner !== undefined && owner !== epoch) {
      this.findings.add('startedInLostEpoch', `${text} started, but ${owner.process} owned the shard by then`, key);
    }
    if (epoch.drainEnds !== undefined && callback !== 'handleContinue') {
      this.findings.add('startedWhileReleasing', `${text} started though its epoch was closing`, key);
    }
    if (epoch.suspended && callback === 'handleMessage') {
      this.findings.add('startedUnassured', `${text} started while its shard was suspended`, key);
    }
  }
}

import type { EventOf } from '../events.js';
import type { Findings } from './promises.js';
import { leaveQueue, queueOf, type EpochState, type Queued } from './records.js';

interface DirectState extends Queued {
  readonly process: string;
  readonly key: string;
  epoch: EpochState | undefined;
  handled: boolean;
  ends: number;
}

/** Messages that bypass the transport: their sender is told their end, once, and as it was. */
export class Directs {
  private readonly directs = new Map<string, DirectState>();
  private readonly killed = new Set<string>();

  constructor(private readonly findings: Findings) {}

  has(id: string): boolean {
    return this.directs.has(id);
  }

  directed({ id, key, process }: EventOf<'directed'>): void {
    this.directs.set(id, { id, key, process, aside: false, epoch: undefined, handled: false, ends: 0 });
  }

  accepted({ id, key }: EventOf<'accepted'>, epoch: EpochState): void {
    const direct = this.directs.get(id)!;
    direct.epoch = epoch;
    queueOf(epoch, key).push(direct);
  }

  ended({ id, outcome }: EventOf<'ended'>): void {
    this.directs.get(id)!.handled ||= outcome !== 'failed';
  }

  answered({ id, key, how }: EventOf<'answered'>): void {
    const direct = this.directs.get(id)!;
    const wrong = (text: string): void => this.findings.add('wrongAnswer', `the direct message ${id} ${text}`, key);
    if (++direct.ends > 1) wrong('ended twice');
    if (how === 'resolved' && !direct.handled) wrong('resolved unhandled');
    if (how === 'rejected' && direct.handled) wrong('rejected though handled');
    if (direct.epoch !== undefined) leaveQueue(direct.epoch, key, direct);
  }

  exited(process: string, how: string): void {
    if (how !== 'left') this.killed.add(process);
  }

  end(): void {
    for (const { id, key, ends, process } of this.directs.values()) {
      if (ends > 0 || this.killed.has(process)) continue;
      this.findings.add('wrongAnswer', `the direct message ${id} was never answered`, key);
    }
  }
}

import type { Clock, Timer } from '@mississippi/core/transport';
import type { MemberBroker } from './ports.js';
import type { Report } from './reports.js';

/** For how long changes are collected before they are reported. Milliseconds. */
const COLLECT = 5;
/** How often it is reported that nothing has changed, and how many of these there may be in a second, of all members together. */
const REFRESH = 5_000;
const REFRESHES = 50;
/** How long an answer may take. Milliseconds. */
const PATIENCE = 3_000;

/** How often each of so many members reports that nothing has changed. Milliseconds. */
export function refreshOf(members: number): number {
  return Math.max(REFRESH, (members / REFRESHES) * 1_000);
}

/** What a member says, without what counts its reports. */
export type Said = Omit<Report, 'seq' | 'left'>;

/** Reports what a member has to say: changes soon, and now and then that there is none. Waits for nobody. */
export class Reporting {
  private seq = 0;
  /** What was reported last, and when. */
  private said = '';
  private saidAt = -Infinity;
  /** Since when an answer is waited for. */
  private waiting: number | undefined;
  private timer: Timer | undefined;
  private ended = false;

  constructor(
    private readonly broker: Pick<MemberBroker, 'report' | 'blocked'>,
    private readonly clock: Clock,
    private readonly current: () => Said,
  ) {}

  /** Whether nobody hears what is reported. */
  get isUnheard(): boolean {
    const { broker, clock, waiting } = this;
    return broker.blocked || (waiting !== undefined && clock.now() - waiting >= PATIENCE);
  }

  /** Counts the report that comes next. */
  get next(): number {
    return this.seq + 1;
  }

  /** Something may have changed. */
  changed(): void {
    if (this.ended) return;
    this.timer ??= this.clock.after(COLLECT, () => {
      this.timer = undefined;
      this.report(false);
    });
  }

  /**
   * Reports what has changed, or that nothing has when that is due.
   * @param members how many do the same
   */
  look(members: number): void {
    const interval = this.waiting === undefined ? refreshOf(members) : PATIENCE / 2;
    this.report(this.clock.now() - this.saidAt >= interval);
  }

  /** The coordinator has read the reports up to one. */
  answered(seq: number): void {
    if (seq >= this.seq) this.waiting = undefined;
  }

  /** Reports, for the last time, that it takes part no more; nothing where it never did. */
  async end(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    this.timer?.cancel();
    if (this.seq > 0) await this.broker.report({ ...this.current(), seq: ++this.seq, left: true });
  }

  private report(always: boolean): void {
    if (this.ended) return;
    const current = this.current();
    const text = JSON.stringify(current);
    if (text === this.said && !always) return;
    this.said = text;
    this.saidAt = this.clock.now();
    this.waiting ??= this.saidAt;
    this.broker.report({ ...current, seq: ++this.seq, left: false }).catch(() => {
      this.said = ''; // The next look reports it.
    });
  }
}

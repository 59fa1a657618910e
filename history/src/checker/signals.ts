import type { EventOf } from '../events.js';
import type { KnownLimits } from './limits.js';
import type { Findings } from './promises.js';

interface SignalState {
  readonly process: string;
  readonly key: string;
  readonly sentAt: number;
  readonly timeout: number;
  runs: number;
  /** When the last one began. */
  ranAt: number;
  /** A run has ended well. */
  ran: boolean;
  how: EventOf<'signalEnded'>['how'] | undefined;
}

/** What became of the signals, as their callers were told it. */
export interface SignalCounts {
  sent: number;
  answered: number;
  notRun: number;
  unknown: number;
  failed: number;
  /** Those that waited for their turn for a second or longer, and ran. */
  waited: number;
}

/** So long is a wait that is counted. Milliseconds. */
const LONG = 1_000;

/** Milliseconds after its caller's time-out. */
function lateness({ sentAt, timeout }: SignalState, mono: number): number {
  return mono - sentAt - timeout;
}

/** Signals run at most once, and their callers are told in time and truly what became of them. */
export class Signals {
  readonly counts: SignalCounts = { sent: 0, answered: 0, notRun: 0, unknown: 0, failed: 0, waited: 0 };
  private readonly signals = new Map<string, SignalState>();
  /** Processes that did not end in good order: nobody in them is told any more. */
  private readonly gone = new Set<string>();

  constructor(
    private readonly findings: Findings,
    private readonly limits: KnownLimits,
  ) {}

  signalled({ id, key, process, timeout, mono }: EventOf<'signalled'>): void {
    this.counts.sent++;
    this.signals.set(id, { process, key, timeout, sentAt: mono, runs: 0, ranAt: 0, ran: false, how: undefined });
  }

  started({ id, mono }: EventOf<'started'>, text: string): void {
    const signal = this.signals.get(id);
    if (signal === undefined) return;
    const { key, how, sentAt } = signal;
    signal.ranAt = mono;
    // Whatever its caller was told: nobody waits for it any more.
    if (lateness(signal, mono) > this.limits.signalDelay) {
      this.findings.add('signalRanUntold', `${text} after the time-out of its caller`, key);
    }
    if (++signal.runs > 1) this.findings.add('signalTwice', `${text} is the ${signal.runs}. run of it`, key);
    else if (mono - sentAt >= LONG) this.counts.waited++;
    if (how === 'notRun') this.findings.add('signalRanUntold', `${text} though it was never to run`, key);
  }

  ended({ id, outcome }: EventOf<'ended'>): void {
    const signal = this.signals.get(id);
    if (signal !== undefined) signal.ran ||= outcome !== 'failed';
  }

  told({ id, key, how, mono }: EventOf<'signalEnded'>): void {
    const signal = this.signals.get(id);
    if (signal === undefined) return;
    this.counts[how]++;
    signal.how = how;
    const late = lateness(signal, mono);
    if (late > this.limits.signalDelay) {
      this.findings.add('signalLate', `the signal ${id} ended ${Math.round(late)} ms after its time-out`, key);
    }
    if (how === 'notRun' && signal.runs > 0 && mono - signal.ranAt >= this.limits.signalNotice) {
      this.findings.add('signalRanUntold', `the signal ${id} ran, but its caller was told that it will not`, key);
    }
    if (how === 'answered' && !signal.ran) {
      this.findings.add('signalFalseAnswer', `the signal ${id} was answered, but none had run to its end`, key);
    }
  }

  exited(process: string, how: string): void {
    if (how !== 'left') this.gone.add(process);
  }

  end(): void {
    for (const [id, { process, key, how }] of this.signals) {
      if (how !== undefined || this.gone.has(process)) continue;
      this.findings.add('signalUnanswered', `the caller of the signal ${id} was never told its end`, key);
    }
  }
}

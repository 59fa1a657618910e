import type { Called, EventOf } from '../events.js';
import type { Faults } from './faults.js';
import type { KnownLimits } from './limits.js';
import type { Findings } from './promises.js';
import type { EpochState } from './records.js';

/** One data updater of one process. */
interface UpdaterState {
  readonly epoch: EpochState;
  state: number | undefined;
  /** A callback failed or said stop: only `terminate` may follow. */
  ending: boolean;
  readonly runs: Set<RunState>;
}

interface RunState {
  readonly text: string;
  readonly called: Called;
  readonly epoch: EpochState;
  readonly order: number;
  readonly since: number;
  readonly updater: UpdaterState | undefined;
}

/** The callbacks of a key never overlap, and its data updater lives in one epoch, from `init` to `terminate`. */
export class Callbacks {
  /** By key. */
  private readonly running = new Map<string, Set<RunState>>();
  /** By process and key. */
  private readonly live = new Map<string, UpdaterState>();
  /** Processes that record `init`: of the others nobody knows which state is whose. */
  private readonly recordsStates = new Set<string>();
  /** Overlaps that a loss explains, if it comes to that. */
  private readonly explained: { readonly run: RunState; readonly other: RunState; readonly text: string }[] = [];

  constructor(
    private readonly findings: Findings,
    private readonly limits: KnownLimits,
    private readonly faults: Faults,
  ) {}

  started(event: EventOf<'started'>, epoch: EpochState, text: string): void {
    const { key, process, callback } = event;
    const at = `${process} ${key}`;
    const runs = this.runsOf(key);
    const { order, now: since } = this.findings;
    if (callback === 'init') this.recordsStates.add(process);
    const run: RunState = { text, called: event, epoch, order, since, updater: this.live.get(at) };
    for (const other of runs) this.checkOverlap(run, other);
    if (this.recordsStates.has(process)) this.checkState(run, event.state);
    if (callback === 'init') this.live.delete(at);
    else run.updater?.runs.add(run);
    runs.add(run);
  }

  /** Returns whether the end still counts: that of an abandoned callback does not. */
  ended(event: EventOf<'ended'>): boolean {
    const { key, process, outcome } = event;
    const runs = this.runsOf(key);
    const run = [...runs].find(({ called, epoch }) => called.run === event.run && epoch.process === process);
    if (run === undefined) return false; // Its process has exited.
    const abandoned = this.isAbandoned(run);
    runs.delete(run);
    run.updater?.runs.delete(run);
    const at = `${process} ${key}`;
    if (event.callback === 'init') {
      const updater = { epoch: run.epoch, state: event.state, ending: false, runs: new Set<RunState>() };
      if (outcome !== 'failed' && !abandoned) this.live.set(at, updater);
      return !abandoned;
    }
    const updater = this.live.get(at);
    if (updater !== undefined && updater === run.updater) this.endedOn(updater, event, abandoned);
    if (updater === run.updater && (abandoned || event.callback === 'terminate')) this.live.delete(at);
    return !abandoned;
  }

  /** Nothing of a process that has gone is seen again. One that left in good order has finished everything. */
  exited(process: string, how: 'killed' | 'left' | 'crashed'): void {
    for (const runs of this.running.values()) {
      for (const run of runs) {
        if (run.epoch.process !== process) continue;
        if (how === 'left' && !this.isAbandoned(run)) {
          this.findings.add('neverEnded', `${run.text} outlived its process`, run.called.key);
        }
        runs.delete(run);
      }
    }
    if (how === 'left') this.checkNoneLive(process);
    for (const [at, { epoch }] of this.live) if (epoch.process === process) this.live.delete(at);
  }

  /** The data updaters of a key that live. */
  liveOf(key: string): readonly object[] {
    const suffix = ` ${key}`;
    return [...this.live].filter(([at]) => at.endsWith(suffix)).map(([, updater]) => updater);
  }

  /** Of those that live, nothing runs on these any more. */
  toEnd(updaters: readonly object[]): void {
    for (const updater of this.live.values()) updater.ending ||= updaters.includes(updater);
  }

  /** Every data updater, of one process or of all, must have ended. */
  checkNoneLive(process?: string): void {
    for (const [at, updater] of this.live) {
      if ((process !== undefined && updater.epoch.process !== process) || this.isDropped(updater)) continue;
      this.findings.add('neverTerminated', `the data updater of ${at} was never terminated`, at.split(' ')[1]);
    }
  }

  end(): void {
    for (const { run, other, text } of this.explained) {
      if (run.epoch.over !== undefined || other.epoch.over !== undefined) continue;
      this.findings.add('overlapAcross', `${text}, and ${other.epoch.name} was never lost`, run.called.key);
    }
    for (const runs of this.running.values()) {
      for (const run of runs) {
        if (!this.isAbandoned(run)) this.findings.add('neverEnded', `${run.text} never ended`, run.called.key);
      }
    }
  }

  private endedOn(updater: UpdaterState, { outcome, stops, state }: EventOf<'ended'>, abandoned: boolean): void {
    if (abandoned) return;
    updater.ending ||= outcome === 'failed' || stops;
    if (outcome !== 'failed') updater.state = state;
  }

  /** Only an abandoned callback may overlap its successor; in another process one whom a fault has struck, too. */
  private checkOverlap(run: RunState, other: RunState): void {
    if (this.isAbandoned(other)) return;
    const text = `${run.text} overlaps ${other.text}`;
    const { key } = run.called;
    const { process, shard } = other.epoch;
    if (process === run.epoch.process) {
      this.findings.add('overlapWithin', text, key);
    } else if (this.faults.struckSince(process, shard, other) || this.isHarmless(run, other)) {
      this.explained.push({ run, other, text });
    } else {
      this.findings.add('overlapAcross', `${text}, whom no fault had struck since`, key);
    }
  }

  /** What a struck process does before it knows, as long as it attempts no message. */
  private isHarmless(...both: readonly [RunState, RunState]): boolean {
    if (both.every(({ called }) => called.callback === 'handleMessage')) return false;
    return both.some(({ epoch }) => this.faults.struckSince(epoch.process, epoch.shard, epoch));
  }

  private checkState({ text, called, epoch, updater }: RunState, state: number | undefined): void {
    const { key, callback } = called;
    const foreign = (how: string): void => this.findings.add('foreignState', `${text} ${how}`, key);
    if (callback === 'init') {
      if (updater !== undefined && !this.isDropped(updater)) foreign('doubles a live data updater');
    } else if (updater === undefined || this.isDropped(updater)) {
      foreign('runs on a data updater that is not live');
    } else if (updater.state !== state) {
      foreign(`got the state ${state} instead of ${updater.state}`);
    } else if (updater.epoch !== epoch) {
      foreign(`runs on the state of the epoch ${updater.epoch.name}`);
    } else if (updater.ending && callback !== 'terminate') {
      foreign('runs on a data updater that is to end');
    }
  }

  /** Whether nobody waits for it any more: its time and its grace are over, or those of its epoch's drain. */
  private isAbandoned({ since, epoch: { drainEnds } }: RunState): boolean {
    const { now } = this.findings;
    const { handlerTimeout, grace } = this.limits;
    if (now >= since + handlerTimeout + grace) return true;
    return drainEnds !== undefined && now >= Math.max(since, drainEnds) + grace;
  }

  /** Whether it ended without `terminate`, because a callback on it was abandoned. */
  private isDropped({ runs }: UpdaterState): boolean {
    return [...runs].some((run) => this.isAbandoned(run));
  }

  private runsOf(key: string): Set<RunState> {
    let runs = this.running.get(key);
    if (runs === undefined) this.running.set(key, (runs = new Set()));
    return runs;
  }
}

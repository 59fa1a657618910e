import type { CallbackName } from '../../src/engine/updaters/callback-run.js';
import { GRACE } from '../../src/engine/updaters/callbacks.js';
import type { History } from './history.js';
import type { CallbackRecord, DirectRecord, EpochRecord, KeyState, MessageRecord, UpdaterRecord } from './records.js';
import type { AttemptResult } from './scenario.js';

/** Where and on what a callback starts. */
export interface CallbackStart {
  readonly name: CallbackName;
  readonly epoch: EpochRecord;
  readonly key: string;
  /** What the callback was given; nothing in `init`. */
  readonly state: KeyState | undefined;
  readonly message?: MessageRecord | DirectRecord | undefined;
}

/** What a callback did: the words of an attempt, or whether another callback succeeded. */
export type CallbackEnding = AttemptResult | 'ok';

/** What an abandoned callback answers with: nobody may take it over. */
const NO_STATE: KeyState = { updater: -1, version: -1 };

/** The data updaters of every process: at most one per key, whose callbacks never overlap, from `init` to `terminate`. */
export class UpdaterHistory {
  private readonly running = new Map<string, Set<CallbackRecord>>();
  /** By process and key. */
  private readonly live = new Map<string, UpdaterRecord>();
  private made = 0;

  constructor(
    private readonly history: History,
    private readonly now: () => number,
  ) {}

  started(start: CallbackStart): CallbackRecord {
    const { name, epoch, key, state, message } = start;
    const { process } = epoch;
    const what = message === undefined ? key : message.text;
    const run: CallbackRecord = {
      text: `${name}(${what}) in ${process} ${epoch.text}`,
      name,
      process,
      key,
      epoch,
      startedAt: this.now(),
      message,
      state,
    };
    this.history.note(`start ${run.text}`);
    this.checkOverlap(run);
    this.checkState(run, state);
    this.checkEpoch(run);
    if (name === 'handleMessage') this.history.attemptStarted(run);
    this.runsOf(key).add(run);
    return run;
  }

  /** Returns the state that the callback answers with, if it succeeded. */
  ended(run: CallbackRecord, ending: CallbackEnding): KeyState | undefined {
    const abandoned = this.abandoned(run);
    this.history.note(`end ${run.text}: ${ending}${abandoned ? ' (abandoned)' : ''}`);
    this.runsOf(run.key).delete(run);
    const failed = ending === 'throw' || ending === 'invalid';
    if (run.name === 'init') return failed ? undefined : this.makeUpdater(run, abandoned);
    const updater = this.live.get(place(run));
    if (abandoned && updater?.updater === run.state?.updater) this.live.delete(place(run));
    if (abandoned || updater === undefined) return failed ? undefined : NO_STATE;
    if (run.name === 'handleMessage') this.history.attemptEnded(run, ending as AttemptResult);
    if (run.name === 'terminate') this.live.delete(place(run));
    updater.ending ||= failed || ending === 'stop' || ending === 'stopDiscard';
    if (failed) return undefined;
    if (ending !== 'nothing') updater.version = run.state!.version + 1;
    return { updater: updater.updater, version: updater.version };
  }

  private makeUpdater(run: CallbackRecord, abandoned: boolean): KeyState {
    const updater = ++this.made;
    if (!abandoned) this.live.set(place(run), { updater, epoch: run.epoch, version: 0, ending: false });
    return { updater, version: 0 };
  }

  /** Nothing of a process that crashed is seen again. */
  crashed(process: string): void {
    for (const runs of this.running.values()) for (const run of runs) if (run.process === process) runs.delete(run);
    for (const [at, { epoch }] of this.live) if (epoch.process === process) this.live.delete(at);
  }

  /** The process says that it has stopped: nothing of it may run, and every data updater was terminated. */
  checkStopped(process: string): void {
    for (const runs of this.running.values()) {
      for (const run of runs) {
        if (run.process === process && !this.abandoned(run)) this.history.violation(`${run.text} outlived its process`);
      }
    }
    for (const [at, { epoch }] of this.live) {
      if (epoch.process === process && !this.dropped(at)) this.history.violation(`${at} was never terminated`);
    }
  }

  /** Every data updater of a live process went idle and must have ended. */
  checkNoneLive(): void {
    for (const at of this.live.keys()) {
      if (!this.dropped(at)) this.history.violation(`the data updater of ${at} was never terminated`);
    }
  }

  // ---- what is checked at the start of a callback

  /** Only an abandoned callback may overlap its successor; another process may also meet one of an epoch that was lost. */
  private checkOverlap(run: CallbackRecord): void {
    for (const other of this.runsOf(run.key)) {
      if (this.abandoned(other) || (other.process !== run.process && (other.epoch.lost || run.epoch.lost))) continue;
      this.history.violation(`${run.text} overlaps ${other.text}`);
    }
  }

  private checkState(run: CallbackRecord, state: KeyState | undefined): void {
    const at = place(run);
    const live = this.live.get(at);
    if (run.name === 'init') {
      if (live !== undefined && !this.dropped(at)) this.history.violation(`${run.text} doubles a live data updater`);
      this.live.delete(at);
      return;
    }
    if (live === undefined || live.updater !== state?.updater || this.dropped(at)) {
      this.history.violation(`${run.text} runs on a data updater that is not live`);
    } else if (live.version !== state.version) {
      this.history.violation(`${run.text} got the state ${state.version} instead of ${live.version}`);
    } else if (live.epoch !== run.epoch) {
      this.history.violation(`${run.text} runs on the state of the epoch ${live.epoch.text}`);
    } else if (live.ending && run.name !== 'terminate') {
      this.history.violation(`${run.text} runs on a data updater that is to end`);
    }
  }

  /** Nothing but what has begun goes on in an epoch that ends. */
  private checkEpoch({ epoch, name, text }: CallbackRecord): void {
    if (name === 'terminate') return;
    if (epoch.ended) this.history.violation(`${text} started after the end of its epoch`);
    if (epoch.drainEnds !== undefined && name !== 'handleContinue') {
      this.history.violation(`${text} started though its epoch was closing`);
    }
  }

  // ---- inside

  private runsOf(key: string): Set<CallbackRecord> {
    let runs = this.running.get(key);
    if (runs === undefined) this.running.set(key, (runs = new Set()));
    return runs;
  }

  /** Whether nobody waits for a callback any more: its time and its grace are over, or those of its epoch's drain. */
  private abandoned({ startedAt, epoch }: CallbackRecord): boolean {
    const now = this.now();
    if (now >= startedAt + this.history.limits.handlerTimeout + GRACE) return true;
    const { drainEnds } = epoch;
    return drainEnds !== undefined && now >= Math.max(startedAt, drainEnds) + GRACE;
  }

  /** Whether a data updater was dropped without `terminate`, because a callback on it was abandoned. */
  private dropped(at: string): boolean {
    const { updater } = this.live.get(at)!;
    for (const runs of this.running.values()) {
      for (const run of runs) if (run.state?.updater === updater && this.abandoned(run)) return true;
    }
    return false;
  }
}

function place({ process, key }: { process: string; key: string }): string {
  return `${process} ${key}`;
}

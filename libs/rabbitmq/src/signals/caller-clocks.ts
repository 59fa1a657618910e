import type { Clock, Timer } from '@mississippi/core/transport';
import { every } from '../connection/timers.js';

/** When a caller stops waiting. */
export interface Deadline {
  /** Names the clock of the caller's process. */
  readonly clock: string;
  /** A reading of it. Milliseconds. */
  readonly at: number;
}

/** How long a comparison of two clocks holds: they may drift apart by some 100 ppm, and by what a machine was suspended for. Milliseconds. */
const HOLDS = 60_000;

/** One that is less exact than this is soon made anew. Milliseconds. */
const EXACT = 50;
const HOLDS_INEXACT = 1_000;

/** How soon a question that was not answered is asked again. Milliseconds. */
const ASK_AGAIN = 500;

/** What a caller's clock is ahead of ours. Milliseconds. */
interface Comparison {
  readonly least: number;
  readonly most: number;
  /** Until when it holds, on our clock. */
  readonly until: number;
}

/** A request that waits for a comparison. */
interface Doubt {
  readonly deadline: Deadline;
  /** The question, to the caller. */
  readonly ask: (id: string) => void;
  /** Even if it had come at once, its time is over then. On our clock. */
  readonly end: number;
  readonly decide: (left: number) => void;
}

/**
 * How much time the callers of signals in other processes have left. Monotonic clocks of two machines have nothing to do with
 * each other, and those on the wall may be wrong; so the caller's process is asked what its clock shows, once in a while. The
 * answer was given between the question and its arrival, so that what is left is known within a round trip, and the lesser
 * is taken.
 */
export class CallerClocks {
  private readonly comparisons = new Map<string, Comparison>();
  /** By clock, in order of arrival: nothing overtakes what waits. */
  private readonly doubts = new Map<string, Doubt[]>();
  private asking: Timer | undefined;

  constructor(private readonly clock: Clock) {}

  /**
   * Decides how much time is left, 0 for none: at once where it is known, or when the caller's process has answered.
   * @param longest what was left when the request was sent. Milliseconds
   * @param ask asks the caller's process, see {@link answered}
   */
  left(deadline: Deadline, longest: number, ask: (id: string) => void, decide: (left: number) => void): void {
    const waiting = this.doubts.get(deadline.clock);
    const left = waiting === undefined ? this.known(deadline) : undefined;
    if (left !== undefined) {
      decide(left);
      return;
    }
    const doubt = { deadline, ask, end: this.clock.now() + longest, decide };
    if (waiting === undefined) this.doubts.set(deadline.clock, [doubt]);
    else waiting.push(doubt);
    if (waiting === undefined) this.question(doubt);
    this.asking ??= every(this.clock, ASK_AGAIN, () => this.askAgain(), true);
  }

  /**
   * What a clock showed after it was asked.
   * @param id of the question
   */
  answered(id: string, clock: string, reading: number): void {
    const askedAt = Number(id);
    const now = this.clock.now();
    if (!(askedAt <= now) || !Number.isFinite(reading)) return; // It is none of ours.
    for (const [name, { until }] of this.comparisons) if (until <= now) this.comparisons.delete(name);
    const holds = now - askedAt > EXACT ? HOLDS_INEXACT : HOLDS;
    this.comparisons.set(clock, { least: reading - now, most: reading - askedAt, until: now + holds });
    const waiting = this.doubts.get(clock) ?? [];
    for (let doubt = waiting.shift(); doubt !== undefined; doubt = waiting.shift()) {
      doubt.decide(Math.max(0, doubt.deadline.at - this.most(clock)));
    }
    this.doubts.delete(clock);
    this.rest();
  }

  /** The connection is gone, and for how long this process stood still nobody knows. */
  forget(): void {
    this.comparisons.clear();
  }

  /** What is left as far as that is certain; `undefined` where the caller has to be asked. */
  private known({ clock, at }: Deadline): number | undefined {
    const comparison = this.comparisons.get(clock);
    if (comparison === undefined || comparison.until <= this.clock.now()) return undefined;
    const surely = at - this.most(clock);
    if (surely > 0) return surely;
    return at - comparison.least - this.clock.now() <= 0 ? 0 : undefined;
  }

  /** What the clock shows at most by now. */
  private most(clock: string): number {
    return this.comparisons.get(clock)!.most + this.clock.now();
  }

  private question({ ask }: Doubt): void {
    ask(String(this.clock.now()));
  }

  /** A question or its answer may have got lost with a connection, and so may the caller. */
  private askAgain(): void {
    const now = this.clock.now();
    for (const [clock, waiting] of this.doubts) {
      const over = waiting.filter(({ end }) => end <= now);
      const rest = waiting.filter(({ end }) => end > now);
      if (rest.length > 0) this.doubts.set(clock, rest);
      else this.doubts.delete(clock);
      for (const { decide } of over) decide(0);
      if (rest.length > 0) this.question(rest.at(-1)!);
    }
    this.rest();
  }

  private rest(): void {
    if (this.doubts.size > 0) return;
    this.asking?.cancel();
    this.asking = undefined;
  }
}

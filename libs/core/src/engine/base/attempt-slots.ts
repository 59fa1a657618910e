import { Fifo, type FifoItem } from '../../collections/fifo.js';
import type { Round } from './round.js';

/** A key that wants to start an attempt. */
export interface SlotSeeker extends FifoItem<SlotSeeker> {
  /** Whether an attempt waits for it, so that it goes before those that nobody waits for. */
  readonly urgent: boolean;
  /** A slot is free now. It is given back by {@link AttemptSlots.release}. */
  slotGranted(): void;
}

/** An attempt that wants its slot back. */
interface Returning extends FifoItem<Returning> {
  readonly wanted: () => boolean;
  readonly resolve: () => void;
}

/** Attempts started between two rounds of the event loop, at most: more would keep it from its input and output. */
const ATTEMPTS_PER_ROUND = 512;

/**
 * Attempts started in a row, at most, before promises get their turn: those of handlers without I/O end then, while what
 * they use is still in the processor's cache.
 */
const ATTEMPTS_IN_A_ROW = 16;

/**
 * The cap on attempts that run at once, fair between keys: who asks first goes first, and a key asks again for each
 * message. An attempt that waits for another key lends its slot; it goes on before any other starts, and what it waits
 * for goes before what nobody waits for, or the end of one attempt would take as long as all that stand in line. Grants
 * come from one loop, so that synchronous handlers grow no call stack.
 */
export class AttemptSlots {
  private readonly returning = new Fifo<Returning>();
  private readonly urgent = new Fifo<SlotSeeker>();
  private readonly seekers = new Fifo<SlotSeeker>();
  private taken = 0;
  private startedThisRound = 0;
  private startedInARow = 0;
  private granting = false;

  constructor(
    private readonly round: Round,
    private readonly limit: number,
  ) {
    round.atEnd(() => this.roundEnds());
  }

  /** Slots that are taken. */
  get inUse(): number {
    return this.taken;
  }

  /**
   * Takes a slot, or gets in line for one. The same seeker must not ask twice before it has one.
   * @returns whether it has one already; otherwise `slotGranted` follows
   */
  request(seeker: SlotSeeker): boolean {
    if (!this.granting && this.nobodyAhead(seeker) && this.available()) {
      this.take();
      return true;
    }
    (seeker.urgent ? this.urgent : this.seekers).push(seeker);
    this.grant();
    return false;
  }

  /**
   * Takes a slot for an attempt that lent its own, or gets in line before all that start afresh.
   * @param wanted asked when there is one; `false` leaves it to others
   * @returns when there is one, or it is not wanted any more; `undefined`: it has one
   */
  regain(wanted: () => boolean): Promise<void> | undefined {
    if (!this.granting && this.returning.length === 0 && this.taken < this.limit) {
      if (wanted()) this.taken++;
      return undefined;
    }
    return new Promise((resolve) => {
      this.returning.push({ next: undefined, wanted, resolve });
      this.grant();
    });
  }

  /** The same at once, beyond the cap where none is free: nothing new starts until that is made up for. */
  overdraw(): void {
    this.taken++;
  }

  release(): void {
    this.taken--;
    this.grant();
  }

  private grant(): void {
    if (this.granting) return;
    this.granting = true;
    while (this.taken < this.limit) {
      const returning = this.returning.shift();
      if (returning === undefined) break;
      if (returning.wanted()) this.taken++;
      returning.resolve();
    }
    while (this.available()) {
      const seeker = this.urgent.shift() ?? this.seekers.shift();
      if (seeker === undefined) break;
      this.take();
      seeker.slotGranted();
    }
    this.granting = false;
  }

  private nobodyAhead({ urgent }: SlotSeeker): boolean {
    return this.returning.length === 0 && this.urgent.length === 0 && (urgent || this.seekers.length === 0);
  }

  private available(): boolean {
    return (
      this.taken < this.limit && this.startedInARow < ATTEMPTS_IN_A_ROW && this.startedThisRound < ATTEMPTS_PER_ROUND
    );
  }

  private take(): void {
    this.taken++;
    if (++this.startedInARow === ATTEMPTS_IN_A_ROW) queueMicrotask(this.rowEnds);
    this.startedThisRound++;
    this.round.begin();
  }

  private readonly rowEnds = (): void => {
    this.startedInARow = 0;
    this.grant();
  };

  private roundEnds(): void {
    this.startedThisRound = 0;
    this.grant();
  }
}

import { Fifo, type FifoItem } from './fifo.js';
import type { Round } from './round.js';

/** A key that wants to start an attempt. */
export interface SlotSeeker extends FifoItem<SlotSeeker> {
  /** Now it may. It gives the slot back by {@link AttemptSlots.release}. */
  granted(): void;
}

/** Attempts started between two rounds of the event loop, at most: more would keep it from its input and output. */
const ATTEMPTS_PER_ROUND = 512;

/**
 * Attempts started in a row, at most, before promises have their turn: those of handlers without I/O end then, while what
 * they use is still in the processor's cache.
 */
const ATTEMPTS_IN_A_ROW = 16;

/**
 * The cap on attempts that run at once, fair between keys: who asks first goes first, and a key asks anew for each
 * message. Grants come from one loop, so that synchronous handlers grow no call stack.
 */
export class AttemptSlots {
  private readonly waiting = new Fifo<SlotSeeker>();
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

  /** Asks for a slot. The same seeker must not ask twice before it was granted. */
  request(seeker: SlotSeeker): void {
    this.waiting.push(seeker);
    this.grant();
  }

  release(): void {
    this.taken--;
    this.grant();
  }

  private grant(): void {
    if (this.granting) return;
    this.granting = true;
    while (this.taken < this.limit && this.mayStart()) {
      const seeker = this.waiting.shift();
      if (seeker === undefined) break;
      this.taken++;
      this.started();
      seeker.granted();
    }
    this.granting = false;
  }

  private mayStart(): boolean {
    return this.startedInARow < ATTEMPTS_IN_A_ROW && this.startedThisRound < ATTEMPTS_PER_ROUND;
  }

  private started(): void {
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

import type { Clock } from './clock.js';
import { Fifo, type FifoItem } from './fifo.js';

/** A key that wants to start a flight. */
export interface SlotSeeker extends FifoItem<SlotSeeker> {
  /** Now it may. It gives the slot back by {@link FlightSlots.release}. */
  granted(): void;
}

/**
 * Flights started between two rounds of the event loop, at most: more would keep it from its input and output. And what a
 * round has started is still in the processor's cache when it ends: with 1,000 a flight without I/O costs half as much
 * again as with 128 (Node 20, 10,000 keys).
 */
const FLIGHTS_PER_ROUND = 128;

/**
 * The cap on flights that run at once, fair between keys: who asks first goes first, and a key asks anew for each
 * message. Grants come from one loop, so that synchronous handlers grow no call stack.
 */
export class FlightSlots {
  private readonly waiting = new Fifo<SlotSeeker>();
  private taken = 0;
  private startedThisRound = 0;
  private roundEnds = false;
  private granting = false;

  constructor(
    private readonly clock: Clock,
    private readonly limit: number,
  ) {}

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
    while (this.taken < this.limit && this.startedThisRound < FLIGHTS_PER_ROUND) {
      const seeker = this.waiting.shift();
      if (seeker === undefined) break;
      this.taken++;
      this.startedThisRound++;
      this.watchRound();
      seeker.granted();
    }
    this.granting = false;
  }

  private watchRound(): void {
    if (this.roundEnds) return;
    this.roundEnds = true;
    this.clock.soon(() => {
      this.roundEnds = false;
      this.startedThisRound = 0;
      this.grant();
    });
  }
}

import type { Clock } from '../../clock/clock.interface.js';

/** A round of the event loop, and what the messages of one share: a reading of the clock, and a call at its end. */
export class Round {
  private begun = false;
  private beganAt = 0;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly clock: Clock) {}

  /** When somebody first asked in this round, on the engine's clock: a reading for each message would be expensive. */
  get time(): number {
    this.begin();
    return this.beganAt;
  }

  /** Sees to it that {@link atEnd} is kept. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.beganAt = this.clock.now();
    this.clock.soon(this.end);
  }

  /** Calls back at the end of each round that has begun, when the event loop has served its input and output. */
  atEnd(listener: () => void): void {
    this.listeners.push(listener);
  }

  private readonly end = (): void => {
    this.begun = false;
    for (const listener of this.listeners) listener();
  };
}

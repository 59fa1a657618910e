import type { Round } from './round.js';

/** A key whose signals wait for the next round. */
export interface PacedKey {
  /** A new round has begun. */
  signalsGoOn(): void;
}

/** Signals run between two rounds of the event loop, at most: more would keep it from its input and output. */
const SIGNALS_PER_ROUND = 512;

/**
 * How many signals run in one round, over all keys. A caller who sends the next one as soon as it has the answer, or a
 * thousand of them, would otherwise be all that runs. Which key goes on first changes from round to round.
 */
export class SignalPace {
  private startedThisRound = 0;
  private waiting: PacedKey[] = [];

  constructor(private readonly round: Round) {
    round.atEnd(() => this.roundEnds());
  }

  /** Whether a signal of the key may start now; otherwise `signalsGoOn` follows. A key must not ask again before that. */
  request(key: PacedKey): boolean {
    this.round.begin();
    if (this.startedThisRound < SIGNALS_PER_ROUND) {
      this.startedThisRound++;
      return true;
    }
    this.waiting.push(key);
    return false;
  }

  private roundEnds(): void {
    this.startedThisRound = 0;
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    let served = 0;
    while (served < waiting.length && this.startedThisRound < SIGNALS_PER_ROUND) waiting[served++]!.signalsGoOn();
    if (served === waiting.length) return;
    // Who got no turn goes before who had one and wants more.
    this.waiting = waiting.slice(served).concat(this.waiting);
    this.round.begin();
  }
}

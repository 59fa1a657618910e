import { concatMap, Observable, Subject } from 'rxjs';

/** A piece of work that calls back when it has ended. It never throws: the end of one turn must not end the lane. */
export type Turn = (ended: () => void) => void;

/**
 * The serial queue behind a data updater: an RxJS subject whose turns `concatMap` runs one after the other.
 *
 * `concatMap` keeps waiting items in an array that it shifts, which is quadratic in a long backlog (RxJS 7.8.2), and it
 * stalls when synchronous inner observables wait behind an asynchronous one (ReactiveX/rxjs#6682). So the backlog stays
 * in the message tracker, and the next turn comes only once the one before has left the operator.
 */
export class Lane {
  private readonly turns = new Subject<Observable<never>>();

  constructor() {
    this.turns.pipe(concatMap((turn) => turn)).subscribe();
  }

  /** Runs a turn. `left` is called when the turn has ended and the lane takes the next one. */
  run(turn: Turn, left: () => void): void {
    this.turns.next(
      new Observable((subscriber) => {
        turn(() => {
          subscriber.complete();
          left();
        });
      }),
    );
  }
}

/**
 * Lanes to lend: a key needs one while it has work only. A pipeline weighs about 2 KB and takes 1.7 µs to build, so idle
 * keys hold none and busy ones take what others gave back.
 */
export class LanePool {
  private readonly spare: Lane[] = [];

  constructor(private readonly mostSpare = 1_000) {}

  take(): Lane {
    return this.spare.pop() ?? new Lane();
  }

  give(lane: Lane): void {
    if (this.spare.length < this.mostSpare) this.spare.push(lane);
  }
}

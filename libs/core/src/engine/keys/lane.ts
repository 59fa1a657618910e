import { concatMap, Observable, Subject, type Subscriber } from 'rxjs';

/** Whoever runs turns on a lane. */
export interface LaneWorker {
  /** Runs one turn and calls {@link Lane.end} when it has ended. It never throws: that must not end the lane. */
  work(): void;
  /** The turn has left the lane, which takes the next one. */
  left(): void;
}

/**
 * The serial queue behind a data updater: an RxJS subject whose turns `concatMap` runs one after the other.
 *
 * `concatMap` keeps waiting items in an array that it shifts, which is quadratic in a long backlog (RxJS 7.8.2), and it
 * stalls when synchronous inner observables wait behind an asynchronous one (ReactiveX/rxjs#7334). So the backlog stays
 * in the message tracker, and the next turn comes only once the one before has left the operator. Since there is one at
 * a time, one inner observable serves all.
 */
export class Lane {
  private readonly turns = new Subject<LaneWorker>();
  private worker: LaneWorker | undefined;
  private subscriber: Subscriber<never> | undefined;

  constructor() {
    const turn = new Observable<never>((subscriber) => {
      this.subscriber = subscriber;
      this.worker!.work();
    });
    this.turns.pipe(concatMap(() => turn)).subscribe();
  }

  run(worker: LaneWorker): void {
    this.worker = worker;
    this.turns.next(worker);
  }

  /** The turn has ended. */
  end(): void {
    const { worker, subscriber } = this;
    this.worker = undefined;
    this.subscriber = undefined;
    subscriber!.complete();
    worker!.left();
  }
}

/**
 * Lanes to lend: a key needs one only while turns follow on turns. A pipeline weighs about 2 KB and takes 1.7 µs to build,
 * so idle keys hold none and busy ones take what others gave back.
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

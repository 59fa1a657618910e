import {
  BehaviorSubject,
  concatMap,
  defer,
  endWith,
  filter,
  firstValueFrom,
  from,
  groupBy,
  ignoreElements,
  mergeMap,
  type Observable,
  tap,
} from 'rxjs';
import type { Flight } from './flight.js';

/** Where flights go. */
export interface FlightSink {
  /** Sends one flight when subscribed to; completes when it has arrived, fails when it has not. */
  send(flight: Flight): Observable<unknown>;
}

/** How many flights are read ahead of the answers: enough to keep most airports busy, far from the whole file. */
const READ_AHEAD = 2_000;

/**
 * Sends flights in order per airport, airports side by side: each airport has one unanswered flight at most, because
 * two on the way could overtake each other. Emits each flight once it has arrived; the first failure ends the replay.
 */
export function replay(flights: Iterable<Flight>, sink: FlightSink, readAhead = READ_AHEAD): Observable<Flight> {
  return defer(() => {
    const unanswered = new BehaviorSubject(0);
    return from(paced(flights, unanswered, readAhead)).pipe(
      groupBy((flight) => flight.origin),
      mergeMap((airport) =>
        airport.pipe(concatMap((flight) => sink.send(flight).pipe(ignoreElements(), endWith(flight)))),
      ),
      tap(() => unanswered.next(unanswered.value - 1)),
    );
  });
}

/** Waiting in here is the back-pressure: groupBy and concatMap buffer whatever they are given. */
async function* paced(
  flights: Iterable<Flight>,
  unanswered: BehaviorSubject<number>,
  limit: number,
): AsyncGenerator<Flight> {
  for (const flight of flights) {
    if (unanswered.value >= limit) await firstValueFrom(unanswered.pipe(filter((count) => count < limit)));
    unanswered.next(unanswered.value + 1);
    yield flight;
  }
}

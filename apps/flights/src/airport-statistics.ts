import { DELAY_SMOOTHING, LATE_FROM_MINUTES } from './conventions.js';
import type { Flight } from './flight.js';

/** The running statistics of the flights that departed from one airport. The moving average and the runs need order. */
export interface AirportStatistics {
  readonly airport: string;
  readonly departures: number;
  /** Minutes. */
  readonly totalDelay: number;
  /** Minutes. */
  readonly meanDelay: number;
  /** Minutes; the exponential moving average. */
  readonly smoothedDelay: number;
  /** Minutes. */
  readonly maxDelay: number;
  /** Miles. */
  readonly totalDistance: number;
  /** On-time flights in a row, up to the last one. */
  readonly onTimeRun: number;
  readonly longestOnTimeRun: number;
  /** Departures by destination. */
  readonly destinations: Readonly<Record<string, number>>;
}

/** The statistics with one more flight; what was there before stays as it was, for a failure to fall back on. */
export function countFlight(before: AirportStatistics | undefined, flight: Flight): AirportStatistics {
  const onTimeRun = flight.delay < LATE_FROM_MINUTES ? (before?.onTimeRun ?? 0) + 1 : 0;
  const departures = (before?.departures ?? 0) + 1;
  const totalDelay = (before?.totalDelay ?? 0) + flight.delay;
  const smoothedBefore = before?.smoothedDelay ?? flight.delay;
  return {
    airport: flight.origin,
    departures,
    totalDelay,
    meanDelay: totalDelay / departures,
    smoothedDelay: smoothedBefore + DELAY_SMOOTHING * (flight.delay - smoothedBefore),
    maxDelay: Math.max(before?.maxDelay ?? -Infinity, flight.delay),
    totalDistance: (before?.totalDistance ?? 0) + flight.distance,
    onTimeRun,
    longestOnTimeRun: Math.max(before?.longestOnTimeRun ?? 0, onTimeRun),
    destinations: {
      ...before?.destinations,
      [flight.destination]: (before?.destinations[flight.destination] ?? 0) + 1,
    },
  };
}

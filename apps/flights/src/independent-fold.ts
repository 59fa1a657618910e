import { DELAY_SMOOTHING, LATE_FROM_MINUTES } from './conventions.js';
import type { Flight } from './flight.js';

/** What the app must answer for an airport, by the names that it answers with. */
export interface ExpectedFigures {
  airport: string;
  departures: number;
  totalDelay: number;
  meanDelay: number;
  smoothedDelay: number;
  maxDelay: number;
  totalDistance: number;
  onTimeRun: number;
  longestOnTimeRun: number;
  destinations: Record<string, number>;
}

/**
 * Every airport's figures from the whole file at once. Nothing here is shared with the handler, which counts flight by
 * flight: each figure is worked out in another way, from the airport's complete list of flights.
 */
export function foldFlights(flights: readonly Flight[]): Map<string, ExpectedFigures> {
  const byAirport = new Map<string, Flight[]>();
  for (const flight of flights) {
    const departed = byAirport.get(flight.origin);
    if (departed === undefined) byAirport.set(flight.origin, [flight]);
    else departed.push(flight);
  }
  return new Map([...byAirport].map(([airport, departed]) => [airport, figuresOf(airport, departed)]));
}

function figuresOf(airport: string, departed: readonly Flight[]): ExpectedFigures {
  const delays = departed.map((flight) => flight.delay);
  const totalDelay = sum(delays);
  // One mark per flight, in order: what lies between the late ones are the runs.
  const runs = delays
    .map((delay) => (delay >= LATE_FROM_MINUTES ? 'L' : '.'))
    .join('')
    .split('L')
    .map((run) => run.length);
  return {
    airport,
    departures: departed.length,
    totalDelay,
    meanDelay: totalDelay / departed.length,
    smoothedDelay: smoothed(delays),
    maxDelay: Math.max(...delays),
    totalDistance: sum(departed.map((flight) => flight.distance)),
    onTimeRun: runs.at(-1) ?? 0,
    longestOnTimeRun: Math.max(...runs),
    destinations: tally(departed.map((flight) => flight.destination)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The moving average as the weighted sum that it is: the delay that is `age` flights old weighs α(1 − α)^age, the
 * first one, which starts the average, (1 − α)^age.
 */
function smoothed(delays: readonly number[]): number {
  const newest = delays.length - 1;
  return sum(
    delays.map((delay, index) => {
      const decay = (1 - DELAY_SMOOTHING) ** (newest - index);
      return delay * (index === 0 ? decay : DELAY_SMOOTHING * decay);
    }),
  );
}

function tally(names: readonly string[]): Record<string, number> {
  const sorted = names.toSorted();
  return Object.fromEntries(
    [...new Set(sorted)].map((name) => [name, sorted.lastIndexOf(name) - sorted.indexOf(name) + 1]),
  );
}

import Table from 'cli-table3';
import type { AirportStatistics } from './airport-statistics.js';
import type { Mismatch, Verification } from './verify.js';

const BUSIEST = 10;

/** The airports with the most departures. */
export function busiestTable(statistics: Iterable<AirportStatistics>): string {
  const table = new Table({
    // Narrow enough for 80 columns.
    head: ['Airport', 'Flights', 'Mean\ndelay', 'Moving\naverage', 'Max\ndelay', 'On-time\nrun', 'Miles', 'Most to'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  const busiest = [...statistics].sort((a, b) => b.departures - a.departures).slice(0, BUSIEST);
  for (const airport of busiest) {
    table.push([
      airport.airport,
      whole(airport.departures),
      minutes(airport.meanDelay),
      minutes(airport.smoothedDelay),
      whole(airport.maxDelay),
      whole(airport.longestOnTimeRun),
      whole(airport.totalDistance),
      topDestination(airport),
    ]);
  }
  return `The ${busiest.length} busiest airports (delays in minutes, longest on-time run in flights)\n${table.toString()}`;
}

export function mismatchLine({ airport, figure, expected, actual }: Mismatch): string {
  return `MISMATCH ${airport} ${figure}: expected ${String(expected)}, the app says ${String(actual)}`;
}

export function verdict({ airports, verified }: Verification): string {
  return `${verified} of ${airports} airports verified`;
}

export function leftOverLine(leftOver: number): string {
  return `${whole(leftOver)} flights of an earlier run were still in the queues and were handled first.`;
}

/** Why the figures are wrong where flights of an earlier run met statistics that had been forgotten. */
export function forgottenHint(): string {
  return 'The queues held flights of an earlier run, whose statistics went with its memory: start again, or use --store.';
}

/** What to look at while the app serves. */
export function placesToTry(httpUrl: string, tcpPort: number, airport: string): string {
  return [
    'Serving until Ctrl-C:',
    `  ${httpUrl}/airports`,
    `  ${httpUrl}/airports/${airport}`,
    `  ${httpUrl}/health`,
    `  TCP port ${tcpPort}, patterns 'flight' and 'airport'`,
  ].join('\n');
}

/** A whole number, with separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function minutes(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function topDestination({ destinations }: AirportStatistics): string {
  const [top] = Object.entries(destinations).sort(([, a], [, b]) => b - a);
  return top === undefined ? '' : `${top[0]} (${whole(top[1])})`;
}

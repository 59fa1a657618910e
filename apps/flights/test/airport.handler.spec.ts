import { messageContext } from '@mississippi/testing';
import { AirportHandler } from '../src/airport.handler.js';
import type { AirportStatistics } from '../src/airport-statistics.js';
import type { Flight } from '../src/flight.js';
import { readFlights } from '../src/flights-file.js';
import { foldFlights } from '../src/independent-fold.js';
import { verify } from '../src/verify.js';
import { flight } from './flights.js';

/** Runs flights through the handler as the library does, one after the other; gives the state after the last. */
function count(handler: AirportHandler, flights: readonly Flight[]): AirportStatistics | undefined {
  const context = messageContext({ key: flights[0]?.origin ?? 'ORD' });
  let state: AirportStatistics | undefined;
  for (const next of flights) {
    const outcome = handler.handleMessage(next, state, context);
    state = outcome.state ?? state;
  }
  return state;
}

describe('AirportHandler', () => {
  const handler = new AirportHandler();

  it('counts by the figures that are written on paper', () => {
    const flights = [
      flight({ row: 1, delay: 10, distance: 100, destination: 'LAX' }),
      flight({ row: 2, delay: 14, distance: 200, destination: 'JFK' }),
      flight({ row: 5, delay: 15, distance: 300, destination: 'LAX' }),
      flight({ row: 7, delay: -5, distance: 400, destination: 'LAX' }),
    ];
    expect(count(handler, flights)).toEqual({
      airport: 'ORD',
      departures: 4,
      totalDelay: 34,
      meanDelay: 8.5,
      // 10, then 10 + 0.1 × 4 = 10.4, then 10.4 + 0.1 × 4.6 = 10.86, then 10.86 − 0.1 × 15.86
      smoothedDelay: expect.closeTo(9.274, 9) as number,
      maxDelay: 15,
      totalDistance: 1_000,
      onTimeRun: 1,
      longestOnTimeRun: 2,
      destinations: { LAX: 3, JFK: 1 },
    });
  });

  it('agrees with the independent fold on real flights', async () => {
    const flights = (await readFlights()).slice(0, 3_000);
    const expected = foldFlights(flights);
    const answered = new Map<string, AirportStatistics | null>();
    for (const airport of expected.keys()) {
      const departed = flights.filter((departure) => departure.origin === airport);
      answered.set(airport, count(handler, departed) ?? null);
    }
    expect(expected.size).toBeGreaterThan(100);
    expect(verify(expected, answered)).toEqual({ airports: expected.size, verified: expected.size, mismatches: [] });
  });

  it('discards a flight that departs from elsewhere', () => {
    const outcome = handler.handleMessage(flight({ row: 1, origin: 'JFK' }), undefined, messageContext({ key: 'ORD' }));
    expect(outcome).toMatchObject({ reason: 'the flight departs from JFK, which is not its sharding key' });
  });

  it('answers the statistics, null before the first flight', () => {
    const counted = count(handler, [flight({ row: 1 })]);
    expect(handler.handleSignal({ type: 'statistics' }, counted)).toEqual(counted);
    expect(handler.handleSignal({ type: 'statistics' }, undefined)).toBeNull();
  });
});

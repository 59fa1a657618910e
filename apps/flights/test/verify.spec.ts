import { countFlight, type AirportStatistics } from '../src/airport-statistics.js';
import type { Flight } from '../src/flight.js';
import { foldFlights } from '../src/independent-fold.js';
import { verify } from '../src/verify.js';
import { flight } from './flights.js';

const flights: readonly Flight[] = [
  flight({ row: 1, delay: 20 }),
  flight({ row: 2, delay: -3, origin: 'DFW' }),
  flight({ row: 3, delay: 2, destination: 'JFK' }),
  flight({ row: 4, delay: 40 }),
  flight({ row: 5, delay: 7, origin: 'DFW', destination: 'ORD' }),
];

function countAll(order: readonly Flight[]): Map<string, AirportStatistics> {
  const statistics = new Map<string, AirportStatistics>();
  for (const next of order) statistics.set(next.origin, countFlight(statistics.get(next.origin), next));
  return statistics;
}

/** What the app would answer with some of ORD's figures changed. */
function answersWith(wrong: object): Map<string, object | null> {
  const answers = countAll(flights);
  return new Map<string, object | null>(answers).set('ORD', { ...answers.get('ORD'), ...wrong });
}

describe('The check', () => {
  const expected = foldFlights(flights);

  it('finds nothing where every figure is right', () => {
    expect(verify(expected, countAll(flights))).toEqual({ airports: 2, verified: 2, mismatches: [] });
  });

  it.each([
    ['airport', 'DFW'],
    ['departures', 4],
    ['totalDelay', 63],
    ['meanDelay', 20.666_667],
    ['smoothedDelay', 20.380_001],
    ['maxDelay', 41],
    ['totalDistance', 1],
    ['onTimeRun', 1],
    ['longestOnTimeRun', 2],
    ['meanDelay', null],
    ['meanDelay', '20'],
    ['departures', undefined],
    ['departures', Number.NaN],
  ])('reports a wrong %s: %p', (figure, wrong) => {
    const { verified, mismatches } = verify(expected, answersWith({ [figure]: wrong }));
    expect(verified).toBe(1);
    expect(mismatches).toEqual([
      { airport: 'ORD', figure, expected: Reflect.get(expected.get('ORD') ?? {}, figure) as unknown, actual: wrong },
    ]);
  });

  it('reports wrong, missing and made-up destinations', () => {
    const { mismatches } = verify(expected, answersWith({ destinations: { LAX: 1, BOS: 1 } }));
    expect(mismatches).toEqual([
      { airport: 'ORD', figure: 'destinations.JFK', expected: 1, actual: undefined },
      { airport: 'ORD', figure: 'destinations.LAX', expected: 2, actual: 1 },
      { airport: 'ORD', figure: 'destinations.BOS', expected: undefined, actual: 1 },
    ]);
  });

  it('reports an airport of which the app knows nothing', () => {
    const mismatch = { airport: 'ORD', figure: 'departures', expected: 3, actual: 'none' };
    const answers: Map<string, object | null> = new Map(countAll(flights));
    expect(verify(expected, answers.set('ORD', null)).mismatches).toEqual([mismatch]);
    answers.delete('ORD');
    expect(verify(expected, answers).mismatches).toEqual([mismatch]);
  });

  it('reports two flights of one airport that changed places', () => {
    const [first, second, third, fourth, fifth] = flights as [Flight, Flight, Flight, Flight, Flight];
    const { verified, mismatches } = verify(expected, countAll([third, second, first, fourth, fifth]));
    expect(verified).toBe(1);
    expect(mismatches.map((mismatch) => mismatch.figure)).toEqual(['smoothedDelay']);
  });

  it('reports a flight that was lost or counted twice', () => {
    const [first] = flights as [Flight];
    expect(verify(expected, countAll(flights.slice(1))).verified).toBe(1);
    expect(verify(expected, countAll([first, ...flights])).verified).toBe(1);
  });
});

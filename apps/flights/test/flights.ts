import type { Flight } from '../src/flight.js';

/** One flight from ORD to LAX, apart from what is given. */
export function flight(given: Partial<Flight> & { row: number }): Flight {
  return { date: '2001/01/01 00:00', delay: 0, distance: 1745, origin: 'ORD', destination: 'LAX', ...given };
}

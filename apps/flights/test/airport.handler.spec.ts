import type { MessageContext } from '@mississippi/core';
import { ack } from '@mississippi/core';
import * as fc from 'fast-check';
import { AirportHandler } from '../src/airport.handler.js';
import type { AirportStatistics } from '../src/airport-statistics.js';
import type { Flight } from '../src/flight.js';
import { readFlights } from '../src/flights-file.js';
import { foldFlights } from '../src/independent-fold.js';
import { StatisticsStore } from '../src/statistics.store.js';
import { verify } from '../src/verify.js';
import { flight } from './flights.js';

const context = { key: 'ORD' } as MessageContext;

/** Runs flights through the handler as the library does, one after the other; gives the state after the last. */
async function count(handler: AirportHandler, flights: readonly Flight[]): Promise<AirportStatistics | undefined> {
  const key = flights[0]?.origin ?? 'ORD';
  let state = await handler.init(key);
  for (const next of flights) {
    const outcome = await handler.handleMessage(next, state, { ...context, key });
    state = outcome.state ?? state;
  }
  return state;
}

/** Both in their own order, mixed as the coin falls. */
function interleave<T>(left: readonly T[], right: readonly T[], coin: Iterator<boolean>): T[] {
  const [first, ...lefts] = left;
  const [second, ...rights] = right;
  if (first === undefined || second === undefined) return [...left, ...right];
  return coin.next().value === true
    ? [first, ...interleave(lefts, right, coin)]
    : [second, ...interleave(left, rights, coin)];
}

describe('AirportHandler', () => {
  let store: StatisticsStore;
  let handler: AirportHandler;

  beforeEach(async () => {
    store = await StatisticsStore.open('memory');
    handler = new AirportHandler(store);
  });

  it('counts by the figures that are written on paper', async () => {
    const flights = [
      flight({ row: 1, delay: 10, distance: 100, destination: 'LAX' }),
      flight({ row: 2, delay: 14, distance: 200, destination: 'JFK' }),
      flight({ row: 5, delay: 15, distance: 300, destination: 'LAX' }),
      flight({ row: 7, delay: -5, distance: 400, destination: 'LAX' }),
    ];
    expect(await count(handler, flights)).toEqual({
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
      lastRow: 7,
    });
  });

  it('agrees with the independent fold on real flights', async () => {
    const flights = (await readFlights()).slice(0, 3_000);
    const expected = foldFlights(flights);
    const answered = new Map<string, AirportStatistics | null>();
    for (const airport of expected.keys()) {
      const departed = flights.filter((departure) => departure.origin === airport);
      answered.set(airport, (await count(handler, departed)) ?? null);
    }
    expect(expected.size).toBeGreaterThan(100);
    expect(verify(expected, answered)).toEqual({ airports: expected.size, verified: expected.size, mismatches: [] });
  });

  it('acks a row that was counted before and counts it once', async () => {
    const counted = await count(handler, [flight({ row: 1, delay: 3 }), flight({ row: 2, delay: 4 })]);
    expect(await handler.handleMessage(flight({ row: 1, delay: 3 }), counted, context)).toEqual(ack());
    expect(await handler.handleMessage(flight({ row: 2, delay: 4 }), counted, context)).toEqual(ack());
    expect(await store.load('ORD')).toEqual(counted);
  });

  it('knows what it counted after its state was lost', async () => {
    const counted = await count(handler, [flight({ row: 1 }), flight({ row: 2 })]);
    const reloaded = await new AirportHandler(store).init('ORD');
    expect(reloaded).toEqual(counted);
    expect(await handler.handleMessage(flight({ row: 2 }), reloaded, context)).toEqual(ack());
  });

  it('counts every flight once, whatever earlier runs left in the queue before and between the flights of this one', async () => {
    const departed = (await readFlights()).filter(({ origin }) => origin === 'ORD').slice(0, 60);
    const expected = foldFlights(departed);
    const place = fc.nat(departed.length);
    await fc.assert(
      fc.asyncProperty(place, place, fc.infiniteStream(fc.boolean()), async (counted, published, coin) => {
        const fresh = new AirportHandler(await StatisticsStore.open('memory'));
        await count(fresh, departed.slice(0, counted));
        // A killed run's flights, from the first that was not counted, and those of the next run, published from the start.
        const queue = interleave(departed.slice(counted, Math.max(counted, published)), departed, coin);
        const answer = (await count(fresh, queue)) ?? null;
        expect(verify(expected, new Map([['ORD', answer]])).mismatches).toEqual([]);
      }),
    );
  });

  it('acks only when the statistics are stored', async () => {
    let written: () => void = () => undefined;
    store.save = async () => new Promise<void>((resolve) => (written = resolve));
    let acked = false;
    const outcome = handler.handleMessage(flight({ row: 1 }), undefined, context).then(() => (acked = true));
    await new Promise(setImmediate);
    expect(acked).toBe(false);
    written();
    await outcome;
    expect(acked).toBe(true);
  });

  it('fails the attempt when the store fails', async () => {
    store.save = async () => Promise.reject(new Error('disk full'));
    await expect(handler.handleMessage(flight({ row: 1 }), undefined, context)).rejects.toThrow('disk full');
    expect(await handler.init('ORD')).toBeUndefined();
  });

  it('discards a flight that departs from elsewhere', async () => {
    const outcome = await handler.handleMessage(flight({ row: 1, origin: 'JFK' }), undefined, context);
    expect(outcome).toMatchObject({ reason: 'the flight departs from JFK, which is not its sharding key' });
  });

  it('answers the statistics, null before the first flight', async () => {
    const counted = await count(handler, [flight({ row: 1 })]);
    expect(handler.handleSignal({ type: 'statistics' }, counted)).toEqual(counted);
    expect(handler.handleSignal({ type: 'statistics' }, undefined)).toBeNull();
  });
});

import { memory, memoryStore, StoreUnavailableError } from '@mississippi/core';
import type { Store } from '@mississippi/core/store';
import type { INestApplication } from '@nestjs/common';
import { mergeMap, from, lastValueFrom } from 'rxjs';
import type { AirportStatistics } from '../src/airport-statistics.js';
import type { LiveAirport } from '../src/airports.controller.js';
import { type Addresses, createApp, HOST, listen } from '../src/app.js';
import type { Flight } from '../src/flight.js';
import { readFlights } from '../src/flights-file.js';
import { FlightsClient } from '../src/flights.client.js';
import { foldFlights } from '../src/independent-fold.js';
import { replay } from '../src/replay.js';
import { verify } from '../src/verify.js';
import { flight } from './flights.js';

const SAMPLE = 1_000;

describe('The app', () => {
  let app: INestApplication;
  let addresses: Addresses;
  let client: FlightsClient;
  let flights: readonly Flight[];

  beforeAll(async () => {
    app = await createApp({ transport: memory(), store: memoryStore() });
    addresses = await listen(app, { httpPort: 0, tcpPort: 0 });
    client = new FlightsClient(HOST, addresses.tcpPort);
    flights = (await readFlights()).slice(0, SAMPLE);
    await lastValueFrom(replay(flights, client));
  });

  afterAll(async () => {
    await client.close();
    await app.close();
  });

  async function get(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${addresses.httpUrl}${path}`);
    return { status: response.status, body: await response.json() };
  }

  async function statistics(): Promise<Map<string, AirportStatistics | null>> {
    const airports = foldFlights(flights).keys();
    return new Map(
      await Promise.all([...airports].map(async (code) => [code, await client.statistics(code)] as const)),
    );
  }

  it('has counted every flight in order', async () => {
    const expected = foldFlights(flights);
    expect(verify(expected, await statistics())).toEqual({
      airports: expected.size,
      verified: expected.size,
      mismatches: [],
    });
  });

  it('counts none twice when all are sent again', async () => {
    const before = await statistics();
    await lastValueFrom(from(flights).pipe(mergeMap((again) => client.send(again))));
    expect(await statistics()).toEqual(before);
  });

  it('refuses what is no flight and says why', async () => {
    const wrong = { ...flight({ row: SAMPLE + 1 }), delay: 'late' };
    await expect(lastValueFrom(client.send(wrong as unknown as Flight))).rejects.toThrow(/PayloadInvalid.*delay/);
    await expect(lastValueFrom(client.send(flight({ row: 1, origin: 'Chicago' })))).rejects.toThrow(/airport code/);
  });

  it('answers the same over HTTP', async () => {
    expect(await get('/airports/ORD')).toEqual({ status: 200, body: await client.statistics('ORD') });
  });

  it('lists the live airports', async () => {
    const { status, body } = await get('/airports');
    expect(status).toBe(200);
    const airports = body as LiveAirport[];
    expect(airports.map(({ airport }) => airport)).toEqual(expect.arrayContaining([...foldFlights(flights).keys()]));
    expect(airports.find(({ airport }) => airport === 'ORD')).toMatchObject({ state: 'idle', queued: 0 });
  });

  it('knows no airport without departures, and no code that is none', async () => {
    expect(await get('/airports/XXX')).toMatchObject({ status: 404 });
    expect(await get('/airports/Chicago')).toMatchObject({ status: 400 });
    expect(await client.statistics('XXX')).toBeNull();
  });

  it('is healthy', async () => {
    expect(await get('/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', details: { mississippi: { status: 'up', failingInits: 0, stalledShards: [] } } },
    });
  });
});

/** Connects, and then cannot be asked for states. */
function storeThatIsAway(): Store {
  const store = memoryStore();
  return {
    name: store.name,
    connect: async (context) => {
      const connection = await store.connect(context);
      connection.load = async () => Promise.reject(new StoreUnavailableError('the store is away'));
      return connection;
    },
  };
}

describe('The app while its store is away', () => {
  it('says so, over HTTP, over TCP and in its health', async () => {
    const app = await createApp({ transport: memory(), store: storeThatIsAway() });
    app.useLogger(false);
    const { httpUrl, tcpPort } = await listen(app, { httpPort: 0, tcpPort: 0 });
    const client = new FlightsClient(HOST, tcpPort);
    try {
      const sent = lastValueFrom(client.send(flight({ row: 1 }))).catch((error: unknown) => error);
      const [answer] = await Promise.all([
        fetch(`${httpUrl}/airports/ORD`),
        expect(client.statistics('ORD')).rejects.toThrow('SignalTimeout'),
      ]);
      expect(answer.status).toBe(503);
      const health = await fetch(`${httpUrl}/health`);
      // A store that is away would be so after a restart, too: that leaves the app in service.
      expect(health.status).toBe(200);
      expect(await health.json()).toMatchObject({
        status: 'degraded',
        details: {
          mississippi: { status: 'degraded', problems: [expect.stringContaining('the store is away') as string] },
        },
      });
      await app.close();
      expect(await sent).toBeInstanceOf(Error);
    } finally {
      await client.close();
    }
  });
});

import { type ClientProxy, ClientProxyFactory, Transport } from '@nestjs/microservices';
import { catchError, firstValueFrom, type Observable, throwError, timeout } from 'rxjs';
import type { AirportStatistics } from './airport-statistics.js';
import type { Flight } from './flight.js';
import { AIRPORT_PATTERN, FLIGHT_PATTERN } from './flights.patterns.js';
import type { FlightSink } from './replay.js';
import type { RpcErrorBody } from './rpc-error.filter.js';

/** How long an answer may take: a flight waits while the store is away. Milliseconds. */
const ANSWER_TIMEOUT = 60_000;

const NO_ANSWER = `no answer within ${ANSWER_TIMEOUT / 1_000} s`;

/** The app as it is seen from outside, over one TCP connection. */
export class FlightsClient implements FlightSink {
  private readonly proxy: ClientProxy;

  constructor(host: string, port: number) {
    this.proxy = ClientProxyFactory.create({ transport: Transport.TCP, options: { host, port } });
  }

  /** Completes when the flight is counted. */
  send(flight: Flight): Observable<true> {
    return this.ask<true>(FLIGHT_PATTERN, flight);
  }

  async statistics(airport: string): Promise<AirportStatistics | null> {
    return firstValueFrom(this.ask<AirportStatistics | null>(AIRPORT_PATTERN, airport));
  }

  async close(): Promise<void> {
    await this.proxy.close();
  }

  private ask<Answer>(pattern: string, data: unknown): Observable<Answer> {
    return this.proxy.send<Answer>(pattern, data).pipe(
      catchError((error: RpcErrorBody) => throwError(() => new Error(`${error.name}: ${error.message}`))),
      timeout({ each: ANSWER_TIMEOUT, with: () => throwError(() => new Error(NO_ANSWER)) }),
    );
  }
}

import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  DataUpdaterService,
  EventsProducer,
  memory,
  memoryStore,
  MessageHandler,
  MississippiModule,
  MississippiOperator,
  type Ack,
  type DataUpdaterHandler,
  type Discard,
  type MessageContext,
  type MississippiOptions,
  type ShardingKey,
} from '@mississippi/core';
import { type INestApplication, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { lastValueFrom } from 'rxjs';
import { AirportHandler, type AirportSignal } from '../../../../apps/flights/src/airport.handler.js';
import type { AirportStatistics } from '../../../../apps/flights/src/airport-statistics.js';
import type { Flight } from '../../../../apps/flights/src/flight.js';
import { FlightDto } from '../../../../apps/flights/src/flight.dto.js';
import { readFlights } from '../../../../apps/flights/src/flights-file.js';
import { foldFlights } from '../../../../apps/flights/src/independent-fold.js';
import { QueueReplay } from '../../../../apps/flights/src/queue-replay.js';
import { type Verification, verify } from '../../../../apps/flights/src/verify.js';
import { MississippiDashboardModule } from '../../src/index.js';

/** What goes wrong, until it is mended. */
export class Trouble {
  /** Airport whose third flight fails. */
  poisoned: string | undefined;
  /** Airport whose third flight never ends. */
  hanging: string | undefined;
  /** How long each flight takes. Milliseconds. */
  pace = 0;
  private readonly counts = new Map<string, number>();
  private readonly struck = new Map<string, number>();
  private mend: () => void = () => undefined;
  private readonly mended = new Promise<void>((resolve) => (this.mend = resolve));

  /** What the hanging flight waits for comes. */
  release(): void {
    this.hanging = undefined;
    this.mend();
  }

  async meet({ origin, row }: Flight): Promise<void> {
    if (this.pace > 0) await new Promise((resolve) => setTimeout(resolve, this.pace));
    if (origin !== this.poisoned && origin !== this.hanging) return;
    const count = (this.counts.get(origin) ?? 0) + 1;
    this.counts.set(origin, count);
    if (count === STRUCK) this.struck.set(origin, row);
    if (this.struck.get(origin) !== row) return;
    if (origin === this.poisoned) throw asDeployed(new TypeError(`the runway of flight ${row} is <b>closed</b>`));
    await this.mended;
  }
}

/** Pictures show where an app lies, not where they were made. */
function asDeployed(error: Error): Error {
  error.stack = error.stack?.replaceAll(HERE, '/app/') ?? '';
  return error;
}

const HERE = fileURLToPath(new URL('../../../../', import.meta.url));

/** Which flight of an airport it is. */
const STRUCK = 3;

/** The flights with a dashboard, over the embedded transport. */
export interface FlightsApp {
  readonly app: INestApplication;
  readonly url: string;
  readonly trouble: Trouble;
  readonly operator: MississippiOperator;
  readonly producer: EventsProducer;
  /** Publishes all flights; resolves when each was handled. */
  replay(): Promise<void>;
  verify(): Promise<Verification>;
}

/** @param options `sideQueueLimit`: how many flights a shard may park */
export async function openFlights(options: Pick<MississippiOptions, 'sideQueueLimit'> = {}): Promise<FlightsApp> {
  const trouble = new Trouble();
  const lines: string[] = [];
  const app = await NestFactory.create(moduleFor(trouble, options), { logger: collecting(lines), abortOnError: false });
  const flights = await readFlights();
  const dataUpdaters = app.get(DataUpdaterService);
  const producer = app.get(EventsProducer);
  const queues = new QueueReplay(producer, dataUpdaters.events, 'browser');
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const token = lines.join('\n').match(/#token=[\w-]+/)![0];
  return {
    app,
    url: `http://127.0.0.1:${port}/mississippi${token}`,
    trouble,
    operator: app.get(MississippiOperator),
    producer,
    replay: async () => void (await lastValueFrom(queues.start(flights))),
    verify: async () => verify(foldFlights(flights), await askAll(dataUpdaters, flights)),
  };
}

async function askAll(dataUpdaters: DataUpdaterService, flights: readonly Flight[]) {
  const answers = new Map<string, AirportStatistics | null>();
  for (const airport of new Set(flights.map(({ origin }) => origin))) {
    answers.set(airport, await dataUpdaters.handleSignal<AirportStatistics | null>(airport, { type: 'statistics' }));
  }
  return answers;
}

function moduleFor(trouble: Trouble, options: Pick<MississippiOptions, 'sideQueueLimit'>) {
  @MessageHandler({ payload: FlightDto })
  class TroubledHandler implements DataUpdaterHandler<AirportStatistics | undefined, FlightDto> {
    private readonly counting = new AirportHandler();

    async handleMessage(
      flight: FlightDto,
      statistics: AirportStatistics | undefined,
      context: MessageContext<ShardingKey>,
    ): Promise<Ack<AirportStatistics | undefined> | Discard<AirportStatistics | undefined>> {
      await trouble.meet(flight);
      return this.counting.handleMessage(flight, statistics, context);
    }

    handleSignal(signal: AirportSignal, statistics: AirportStatistics | undefined): AirportStatistics | null {
      return this.counting.handleSignal(signal, statistics);
    }
  }
  const failurePolicy = { attempts: 2, onExhausted: 'park', backoff: { initial: 50 } } as const;
  @Module({
    imports: [
      MississippiModule.forRoot({
        transport: memory(),
        store: memoryStore(),
        failurePolicy,
        hangingInterval: 2_000,
        ...options,
      }),
      MississippiDashboardModule.forRoot({ actions: true }),
    ],
    providers: [TroubledHandler],
  })
  class TroubledFlights {}
  return TroubledFlights;
}

function collecting(lines: string[]): LoggerService {
  const take = (message: unknown): void => void lines.push(String(message));
  return { log: take, warn: take, error: take };
}

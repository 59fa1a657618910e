import { randomUUID } from 'node:crypto';
import { DataUpdaterService, EventsProducer } from '@mississippi/core';
import type { INestApplication } from '@nestjs/common';
import {
  from,
  fromEvent,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  takeUntil,
  tap,
  throwError,
  timeout,
  toArray,
} from 'rxjs';
import type { AirportStatistics } from './airport-statistics.js';
import { HOST, listen } from './app.js';
import { EVERY_RUN, type Flight } from './flight.js';
import { readFlights } from './flights-file.js';
import { FlightsClient } from './flights.client.js';
import { foldFlights } from './independent-fold.js';
import type { FlightsOptions } from './options.js';
import { describe, print } from './output.js';
import { Progress } from './progress.js';
import { QueueReplay } from './queue-replay.js';
import { SHARDS } from './queues.js';
import { replay } from './replay.js';
import type { ReplayStep } from './replay-step.js';
import { busiestTable, forgottenHint, leftOverLine, mismatchLine, placesToTry, verdict, whole } from './report.js';
import { verify } from './verify.js';

/** How many airports are asked for their statistics at once. */
const QUESTIONS_AT_ONCE = 20;

/** How long nothing may happen: flights wait while the store or the broker is away. Milliseconds. */
const SILENCE = 60_000;
/** The same where trouble is planted: as long as somebody may need. Milliseconds. */
const UNTIL_FREED = 24 * 60 * 60 * 1_000;

/** Starts the app, replays, checks and reports; tells whether every airport was verified, `undefined` when interrupted. */
export async function replayAndCheck(
  app: INestApplication,
  options: FlightsOptions,
  interrupted: AbortSignal,
): Promise<boolean | undefined> {
  const dataUpdaters = app.get(DataUpdaterService);
  const queues = options.rabbitmq && new QueueReplay(app.get(EventsProducer), dataUpdaters.events, runOf(options));
  const { httpUrl, tcpPort } = await listen(app, options);
  const client = new FlightsClient(HOST, tcpPort);
  try {
    const flights = await readFlights();
    const silence = options.trouble === undefined ? SILENCE : UNTIL_FREED;
    const steps =
      queues === undefined ? overTcp(flights, client) : overRabbitMq(flights, queues, dataUpdaters, silence);
    const progress = new Progress(flights.length, process.stdout, options.rabbitmq !== undefined);
    if (!(await replayAll(steps, progress, interrupted))) return undefined;
    const leftOver = queues?.leftOver ?? 0;
    if (leftOver > 0) print(leftOverLine(leftOver));
    const expected = foldFlights(flights);
    const answers = await askAll(expected.keys(), client, interrupted);
    if (interrupted.aborted) return undefined;

    print(`\n${busiestTable([...answers.values()].filter((answer) => answer !== null))}`);
    const verification = verify(expected, answers);
    for (const mismatch of verification.mismatches) print(mismatchLine(mismatch));
    const verified = verification.verified === verification.airports;
    if (!verified && leftOver > 0 && options.store === undefined) print(forgottenHint());
    if (!options.exit) print(`\n${placesToTry(httpUrl, tcpPort, flights[0]?.origin ?? '')}`);
    print(`\n${verdict(verification)}`);
    return verified;
  } finally {
    await client.close();
  }
}

/** Without a store each run has ids of its own, which tell its flights from those that earlier runs left. */
function runOf({ store }: FlightsOptions): string {
  return store === undefined ? randomUUID() : EVERY_RUN;
}

function overTcp(flights: readonly Flight[], client: FlightsClient): Observable<ReplayStep> {
  return replay(flights, client).pipe(map(() => 'handled'));
}

function overRabbitMq(
  flights: readonly Flight[],
  queues: QueueReplay,
  dataUpdaters: DataUpdaterService,
  longest: number,
): Observable<ReplayStep> {
  return queues
    .start(flights)
    .pipe(timeout({ each: longest, with: () => throwError(() => silence(SHARDS - dataUpdaters.status().shards)) }));
}

function silence(elsewhere: number): Error {
  const reason =
    elsewhere > 0
      ? `: other processes own ${elsewhere} of the ${SHARDS} queues, so end them or take another --prefix`
      : '';
  return new Error(`nothing happened for ${SILENCE / 1_000} s${reason}`);
}

/** Sends every flight; tells whether it came to the end. */
async function replayAll(
  steps: Observable<ReplayStep>,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<boolean> {
  try {
    interrupted.throwIfAborted();
    const flow = steps.pipe(
      tap((step) => progress.count(step)),
      takeUntil(fromEvent(interrupted, 'abort')),
    );
    await lastValueFrom(flow, { defaultValue: undefined });
  } catch (error) {
    throw new Error(`The replay failed after ${whole(progress.handled)} flights: ${describe(error)}`, { cause: error });
  } finally {
    progress.stop();
  }
  const { handled, total, seconds, rate } = progress;
  if (interrupted.aborted) {
    print(`Interrupted after ${whole(handled)} of ${whole(total)} flights.`);
    return false;
  }
  print(`${whole(total)} flights in ${seconds.toFixed(1)} s, ${whole(rate)} flights/s`);
  return true;
}

/** What the app says about each airport, asked over TCP as anybody would. */
async function askAll(
  airports: Iterable<string>,
  client: FlightsClient,
  interrupted: AbortSignal,
): Promise<Map<string, AirportStatistics | null>> {
  const answers = from(airports).pipe(
    mergeMap(async (airport) => [airport, await client.statistics(airport)] as const, QUESTIONS_AT_ONCE),
    takeUntil(fromEvent(interrupted, 'abort')),
    toArray(),
  );
  return new Map(await lastValueFrom(answers));
}

import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { filter, firstValueFrom, throwError, timeout } from 'rxjs';
import {
  DataUpdaterService,
  EventsProducer,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  type FailurePolicyOptions,
  type MemoryDeadLetter,
  type MemoryTransport,
  type MississippiEvent,
} from '@mississippi/core';
import { shardOfEncoded } from '@mississippi/core/transport';

/** Retries at once, so that no test waits for a backoff. */
export const AT_ONCE: FailurePolicyOptions = { attempts: 3, backoff: { initial: 0, max: 0 } };

/** Keeps what the app logs. */
export class Logs implements LoggerService {
  readonly warnings: string[] = [];
  readonly errors: string[] = [];

  log(): void {}
  warn(message: unknown): void {
    this.warnings.push(String(message));
  }
  error(message: unknown): void {
    this.errors.push(String(message));
  }
}

const open = new Set<{ close(): Promise<void> }>();

/** Closes every app that a test left open. */
export async function closeApps(): Promise<void> {
  const apps = [...open];
  open.clear(); // Also where one cannot be closed, so that only its own test fails.
  for (const app of apps) await app.close();
}

/** An app that is not started yet. */
export async function createApp(metadata: ModuleMetadata, logs = new Logs()): Promise<INestApplication> {
  const module = await Test.createTestingModule(metadata).setLogger(logs).compile();
  const app = module.createNestApplication<INestApplication>({ logger: logs });
  open.add(app);
  return app;
}

export async function startApp(
  metadata: ModuleMetadata,
  configure?: (app: INestApplication) => void,
  logs?: Logs,
): Promise<INestApplication> {
  const app = await createApp(metadata, logs);
  configure?.(app);
  return app.init();
}

/** The error that stops an app from starting. */
export async function startError(
  metadata: ModuleMetadata | (() => ModuleMetadata),
  configure?: (app: INestApplication) => void,
): Promise<Error> {
  try {
    await startApp(typeof metadata === 'function' ? metadata() : metadata, configure);
  } catch (error) {
    // What failed to start has nothing that could be closed in good order.
    open.clear();
    return error as Error;
  }
  throw new Error('the app started, but should have refused to');
}

export const producerOf = (app: INestApplication, instance?: string): EventsProducer =>
  app.get(getEventsProducerToken(instance), { strict: false });

export const serviceOf = (app: INestApplication, instance?: string): DataUpdaterService =>
  app.get(getDataUpdaterServiceToken(instance), { strict: false });

type EventOf<Type extends MississippiEvent['type']> = Extract<MississippiEvent, { type: Type }>;

/** The next event of a type. Arm it before what sets it off. */
export function next<Type extends MississippiEvent['type']>(
  service: DataUpdaterService,
  type: Type,
  milliseconds = 10_000,
): Promise<EventOf<Type>> {
  return firstValueFrom(
    service.events.pipe(
      filter((event): event is EventOf<Type> => event.type === type),
      timeout({
        first: milliseconds,
        with: () => throwError(() => new Error(`no event '${type}' came within ${milliseconds} ms`)),
      }),
    ),
  );
}

/** Publishes a payload for a key and returns the dead letter that it becomes. */
export async function deadLetterOf(
  app: INestApplication,
  transport: MemoryTransport,
  payload: unknown,
  shardingKey = 'k',
): Promise<MemoryDeadLetter> {
  const dead = next(serviceOf(app), 'deadLettered');
  await producerOf(app).publish(payload, { shardingKey });
  await dead;
  return transport.broker.takeDeadLetters()[0]!;
}

/** Puts bytes into the queue of a key as a foreign producer would, past every encoder, and returns the dead letter. */
export async function deadLetterOfBytes(
  app: INestApplication,
  transport: MemoryTransport,
  body: Uint8Array,
): Promise<MemoryDeadLetter> {
  const dead = next(serviceOf(app), 'deadLettered');
  injectBytes(transport, body);
  await dead;
  return transport.broker.takeDeadLetters()[0]!;
}

/** A key in the external term format: the binary `k`. */
const KEY = Uint8Array.from([131, 109, 0, 0, 0, 1, 0x6b]);

export function injectBytes(transport: MemoryTransport, body: Uint8Array): void {
  const shard = shardOfEncoded(KEY, transport.broker.totalCount);
  transport.broker.inject(shard, { key: KEY, body, messageId: undefined, timestamp: undefined });
}

/** A promise that the test resolves. */
export class Gate<T = void> {
  resolve!: (value: T) => void;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

/** One round of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves when an instance of an app that is closing takes nothing new any more. */
export async function draining(app: INestApplication, ...instances: string[]): Promise<void> {
  const services = [serviceOf(app), ...instances.map((instance) => serviceOf(app, instance))];
  while (services.every((service) => service.status().shards > 0)) await turn();
}

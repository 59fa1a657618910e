import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { memory, MississippiModule, type MississippiOptions } from '@mississippi/core';
import { recordedTransport, type Recorder } from '@mississippi/history';
import { rabbitmq } from '@mississippi/rabbitmq';
import {
  ConsoleLogger,
  Module,
  type DynamicModule,
  type INestApplicationContext,
  type LoggerService,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { postgres, type PgliteLike } from '@mississippi/postgres';
import { ChaosHandler, FOLDER, RECORDER } from './chaos.handler.js';
import { handlerTimeoutOf, type ProcessPlan, type StorePlan } from './protocol.js';
import { LedgerHandler } from './store/ledger.handler.js';
import { STEPS, Steps } from './store/steps.js';

/** How often a start is tried: the broker may be away, or the connection be cut in the middle. */
const TRIES = 60;
const BETWEEN_TRIES = 250;

@Module({})
class ChaosModule {
  static register(
    plan: ProcessPlan,
    recorder: Recorder,
    options: MississippiOptions,
    steps: Steps,
    pglite: PgliteLike | undefined,
  ): DynamicModule {
    const { url, prefix, quorum, shards, heartbeat, prefetch, claimInterval, consumerTimeout, store } = plan;
    const transport =
      store?.embedded === true
        ? memory({ totalCount: shards, prefetch, capacity: CAPACITY })
        : rabbitmq({
            urls: [url],
            heartbeat,
            prefetch,
            connectTimeout: 2_000,
            claimInterval,
            ...(consumerTimeout === undefined ? {} : { deliveryTimeout: consumerTimeout }),
            reconnect: { initial: 50, max: 500 },
            queues: { prefix, totalCount: shards, type: quorum ? 'quorum' : 'classic' },
          });
    return {
      module: ChaosModule,
      imports: [
        MississippiModule.forRoot({
          ...handlerTimeoutOf(plan),
          ...options,
          transport: steps.transport(recordedTransport(transport, recorder)),
          ...(store === undefined ? {} : storeOf(store, steps, pglite)),
        }),
      ],
      providers: [
        { provide: RECORDER, useValue: recorder },
        { provide: FOLDER, useValue: plan.folder },
        { provide: STEPS, useValue: steps },
        ...(options.producerOnly === true ? [] : [store === undefined ? ChaosHandler : LedgerHandler]),
      ],
    };
  }
}

/** Messages that an embedded broker holds. */
const CAPACITY = 100_000;

/** A request that is not answered for so long has lost its connection. Milliseconds. */
const STORE_ANSWER = 8_000;

function storeOf(
  { url, schema }: StorePlan,
  steps: Steps,
  pglite: PgliteLike | undefined,
): Pick<MississippiOptions, 'store' | 'storeStartTimeout'> {
  const where = pglite === undefined ? { connectionString: url } : { pglite };
  const store = postgres({ ...where, schema, connectTimeout: 2_000, requestTimeout: STORE_ANSWER });
  return { store: steps.store(store), storeStartTimeout: 60_000 };
}

/** Starts an app with the real transport; tries again while the broker cannot be reached. */
export async function startApp(
  plan: ProcessPlan,
  recorder: Recorder,
  options: MississippiOptions,
  logger: LoggerService = new ConsoleLogger({ colors: false }),
  steps = new Steps(plan.folder, plan.name),
  pglite?: PgliteLike,
): Promise<INestApplicationContext> {
  for (let tried = 1; ; tried++) {
    try {
      return await NestFactory.createApplicationContext(ChaosModule.register(plan, recorder, options, steps, pglite), {
        logger,
        abortOnError: false,
      });
    } catch (error) {
      if (tried === TRIES) throw error;
      logger.warn(`The start failed and is tried again: ${String(error)}`);
      await sleep(BETWEEN_TRIES);
    }
  }
}

/** Without whoever started it a process has nothing to do; and what it does must not outlive the run. */
export function endWithParent(): void {
  process.on('disconnect', () => process.exit(1));
}

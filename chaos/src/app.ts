import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { MississippiModule, type MississippiOptions } from '@mississippi/core';
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
import { ChaosHandler, FOLDER, RECORDER } from './chaos.handler.js';
import { handlerTimeoutOf, type ProcessPlan } from './protocol.js';

/** How often a start is tried: the broker may be away, or the connection be cut in the middle. */
const TRIES = 60;
const BETWEEN_TRIES = 250;

@Module({})
class ChaosModule {
  static register(plan: ProcessPlan, recorder: Recorder, options: MississippiOptions): DynamicModule {
    const { url, prefix, quorum, shards, heartbeat, prefetch, claimInterval, consumerTimeout } = plan;
    const transport = rabbitmq({
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
          transport: recordedTransport(transport, recorder),
        }),
      ],
      providers: [
        { provide: RECORDER, useValue: recorder },
        { provide: FOLDER, useValue: plan.folder },
        ...(options.producerOnly === true ? [] : [ChaosHandler]),
      ],
    };
  }
}

/** Starts an app with the real transport; tries again while the broker cannot be reached. */
export async function startApp(
  plan: ProcessPlan,
  recorder: Recorder,
  options: MississippiOptions,
  logger: LoggerService = new ConsoleLogger({ colors: false }),
): Promise<INestApplicationContext> {
  for (let tried = 1; ; tried++) {
    try {
      return await NestFactory.createApplicationContext(ChaosModule.register(plan, recorder, options), {
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

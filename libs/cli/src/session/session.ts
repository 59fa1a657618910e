import 'reflect-metadata';
import { Logger, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
  MississippiModule,
  type DataUpdaterService,
  type EventsProducer,
  type MississippiOperator,
  type PayloadFormat,
} from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { BrokerInspection, type BrokerFacts, type FoundQueues } from '@mississippi/rabbitmq/inspection';
import type { Settings } from '../settings/settings.js';
import { discover, PURPOSE } from './discover.js';

/** A process beside the app's, which owns nothing, consumes nothing and makes nothing. */
export class Session {
  private constructor(
    private readonly app: INestApplicationContext,
    readonly settings: Settings,
    readonly broker: BrokerFacts,
    readonly queues: FoundQueues,
    /** Dead letters at the beginning; `undefined` where there is no such queue. */
    readonly deadLetters: number | undefined,
  ) {}

  /**
   * Finds the queues, and joins them as an operator.
   * @throws {NotFoundError} when there are none of the prefix
   * @throws {RabbitMqUnreachableError}
   * @throws {RabbitMqSetupError}
   * @throws {RabbitMqAccessError}
   */
  static async open(settings: Settings, payload: PayloadFormat = 'json'): Promise<Session> {
    const inspection = await BrokerInspection.open({ urls: [...settings.urls] }, PURPOSE);
    let queues: FoundQueues;
    let letters: number | undefined;
    try {
      queues = await discover(inspection, settings);
      letters = (await inspection.deadLetters(queues))?.messages;
    } finally {
      await inspection.close();
    }
    const app = await start(settings, queues, payload);
    return new Session(app, settings, inspection.broker, queues, letters);
  }

  get operator(): MississippiOperator {
    return this.app.get(getMississippiOperatorToken(this.settings.instance), { strict: false });
  }

  get producer(): EventsProducer {
    return this.app.get(getEventsProducerToken(this.settings.instance), { strict: false });
  }

  get dataUpdaters(): DataUpdaterService {
    return this.app.get(getDataUpdaterServiceToken(this.settings.instance), { strict: false });
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

function start(settings: Settings, queues: FoundQueues, payload: PayloadFormat): Promise<INestApplicationContext> {
  const { urls, timeout, instance } = settings;
  const { prefix, totalCount, type = 'quorum' } = queues;
  const module = MississippiModule.forRoot({
    name: instance,
    producerOnly: true,
    transport: rabbitmq({ urls: [...urls], application: 'cli', queues: { prefix, totalCount, type, declare: false } }),
    signalTimeout: timeout,
    payload,
    keys: 'any',
  });
  Logger.overrideLogger(SILENT); // What matters is thrown, and told once.
  return NestFactory.createApplicationContext(module, { logger: SILENT, abortOnError: false });
}

const silent = (): void => undefined;
const SILENT: LoggerService = {
  log: silent,
  warn: silent,
  error: silent,
  debug: silent,
  verbose: silent,
  fatal: silent,
};

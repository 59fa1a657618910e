import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  MessageHandler,
  MississippiModule,
  type DataUpdaterService,
  type EventsProducer,
  type MessageContext,
  type MississippiOptions,
} from '@mississippi/core';
import { rabbitmq, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { LogLines } from './log-lines.js';

export interface Collected {
  readonly payload: unknown;
  readonly context: MessageContext;
}

/** What an app has handled and logged. */
export class Collection extends LogLines {
  readonly messages: Collected[] = [];

  add(message: Collected): void {
    this.messages.push(message);
    this.changed();
  }

  /** Resolves when so many messages were handled. */
  async handled(count: number): Promise<readonly Collected[]> {
    await this.until(
      `${count} messages were handled`,
      () => this.messages.length >= count,
      20_000,
      () => `(${this.messages.length} were)`,
    );
    return this.messages;
  }
}

export interface CollectingApp {
  readonly app: INestApplicationContext;
  readonly producer: EventsProducer;
  readonly service: DataUpdaterService;
  readonly collection: Collection;
}

/** An app on RabbitMQ whose handler takes every message and keeps it. */
export async function startCollectingApp(
  rabbit: RabbitMqOptions,
  options: Omit<MississippiOptions, 'transport'> = {},
): Promise<CollectingApp> {
  const collection = new Collection();

  @MessageHandler()
  class Collector {
    handleMessage(payload: unknown, _state: unknown, context: MessageContext): void {
      collection.add({ payload, context });
    }
  }

  const module = await Test.createTestingModule({
    imports: [MississippiModule.forRoot({ ...options, transport: rabbitmq(rabbit) })],
    providers: options.producerOnly === true ? [] : [Collector],
  })
    .setLogger(collection)
    .compile();
  const app = module.createNestApplication({ logger: collection });
  await app.init();
  return {
    app,
    collection,
    producer: app.get<EventsProducer>(getEventsProducerToken(), { strict: false }),
    service: app.get<DataUpdaterService>(getDataUpdaterServiceToken(), { strict: false }),
  };
}

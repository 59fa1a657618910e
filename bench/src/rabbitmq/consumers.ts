import 'reflect-metadata';
import { ack, type Ack, type DataUpdaterHandler, MessageHandler, MississippiModule } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ConsumeMessage } from 'amqplib';
import { golevelupConsumer } from 'bench-golevelup';
import { SHARDS } from '../process/keys.js';
import { nestConsumer } from './nest-consumer.js';
import type { ConsumerSetup, Handle, StartConsumer } from './consumer-setup.js';
import { openConnection, PREFETCH, queueNames } from './queues.js';
import type { Reading } from './reading.js';

const HANDLE = Symbol('handle');

@MessageHandler()
class ReadingHandler implements DataUpdaterHandler<number, Reading> {
  constructor(@Inject(HANDLE) private readonly handle: Handle) {}

  async handleMessage(reading: Reading, state: number | undefined): Promise<Ack<number>> {
    const working = this.handle(reading);
    if (working !== undefined) await working;
    return ack((state ?? 0) + 1);
  }
}

@Module({})
class ConsumerModule {}

/** The library with its defaults. */
async function mississippi({ url, prefix, type, handle }: ConsumerSetup): Promise<() => Promise<void>> {
  const transport = rabbitmq({ urls: [url], prefetch: PREFETCH, queues: { prefix, type, totalCount: SHARDS } });
  const imports = [MississippiModule.forRoot({ transport })];
  const providers = [ReadingHandler, { provide: HANDLE, useValue: handle }];
  const app = await NestFactory.createApplicationContext(
    { module: ConsumerModule, imports, providers },
    { logger: false, abortOnError: false },
  );
  app.enableShutdownHooks();
  return () => app.close();
}

/** A bare program: one connection, a channel per queue, each message acked when its handler has ended. */
async function amqplib({ url, prefix, handle }: ConsumerSetup): Promise<() => Promise<void>> {
  const model = await openConnection(url);
  const consume = async (queue: string): Promise<void> => {
    const channel = await model.createChannel();
    await channel.prefetch(PREFETCH);
    const take = async (message: ConsumeMessage): Promise<void> => {
      const working = handle(JSON.parse(message.content.toString()) as Reading);
      if (working !== undefined) await working;
      channel.ack(message);
    };
    await channel.consume(queue, (message) => {
      if (message !== null) void take(message);
    });
  };
  await Promise.all(queueNames(prefix).map(consume));
  return () => model.close();
}

/** A bare program that keeps every order: it begins a message when the former has ended. */
function serial(setup: ConsumerSetup): Promise<() => Promise<void>> {
  let last = Promise.resolve();
  const handle: Handle = (reading) => (last = last.then(() => setup.handle(reading)));
  return amqplib({ ...setup, handle });
}

export const CONSUMERS = {
  mississippi,
  amqplib,
  serial,
  nest: nestConsumer,
  golevelup: ({ url, prefix, handle }) =>
    golevelupConsumer({ url, queues: queueNames(prefix), prefetch: PREFETCH, handle }),
} satisfies Record<string, StartConsumer>;

export type ConsumerName = keyof typeof CONSUMERS;

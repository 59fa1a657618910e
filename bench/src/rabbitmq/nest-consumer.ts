import 'reflect-metadata';
import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, RmqContext, Transport, type RmqOptions } from '@nestjs/microservices';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { ConsumerSetup, Handle } from './consumer-setup.js';
import { PREFETCH, queueNames } from './queues.js';
import { PATTERN, type Reading } from './reading.js';

const HANDLE = Symbol('handle');

@Controller()
class ReadingController {
  constructor(@Inject(HANDLE) private readonly handle: Handle) {}

  @EventPattern(PATTERN)
  async read(@Payload() reading: Reading, @Ctx() context: unknown): Promise<void> {
    const working = this.handle(reading);
    if (working !== undefined) await working;
    const delivered = context as RmqContext;
    (delivered.getChannelRef() as Channel).ack(delivered.getMessage() as ConsumeMessage);
  }
}

@Module({})
class ConsumerModule {}

/** Nest's own transport. It takes one queue per microservice, so the app has one for each queue, with its connection. */
export async function nestConsumer({ url, prefix, handle }: ConsumerSetup): Promise<() => Promise<void>> {
  const module = {
    module: ConsumerModule,
    controllers: [ReadingController],
    providers: [{ provide: HANDLE, useValue: handle }],
  };
  const app = await NestFactory.create(module, { logger: false, abortOnError: false });
  for (const queue of queueNames(prefix)) {
    app.connectMicroservice<RmqOptions>({
      transport: Transport.RMQ,
      options: {
        urls: [url],
        queue,
        noAck: false,
        noAssert: true,
        prefetchCount: PREFETCH,
        socketOptions: { connectionOptions: { noDelay: true } },
      },
    });
  }
  await app.startAllMicroservices();
  return () => app.close();
}

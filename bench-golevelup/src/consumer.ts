import 'reflect-metadata';
import { RabbitMQModule, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

export interface ConsumerSettings<Payload> {
  readonly url: string;
  readonly queues: readonly string[];
  readonly prefetch: number;
  readonly handle: (payload: Payload) => Promise<void> | void;
}

const HANDLE = Symbol('handle');

/** Its name stands for all the queues in the module's configuration. */
const READINGS = 'readings';

@Injectable()
class ReadingsHandler {
  constructor(@Inject(HANDLE) private readonly handle: (payload: unknown) => Promise<void> | void) {}

  @RabbitSubscribe({ name: READINGS })
  async read(payload: unknown): Promise<void> {
    const working = this.handle(payload);
    if (working !== undefined) await working;
  }
}

@Module({})
class ConsumerModule {}

/** One subscriber for many queues, each on a channel of its own, which is the fairest to the queues. */
export async function golevelupConsumer<Payload>(settings: ConsumerSettings<Payload>): Promise<() => Promise<void>> {
  const { url, queues, prefetch, handle } = settings;
  const rabbit = RabbitMQModule.forRoot({
    uri: url,
    connectionInitOptions: { wait: true },
    connectionManagerOptions: { connectionOptions: { noDelay: true } },
    channels: Object.fromEntries(queues.map((queue) => [queue, { prefetchCount: prefetch }])),
    handlers: {
      [READINGS]: queues.map((queue) => ({ queue, createQueueIfNotExists: false, queueOptions: { channel: queue } })),
    },
  });
  const providers = [ReadingsHandler, { provide: HANDLE, useValue: handle }];
  const app = await NestFactory.createApplicationContext(
    { module: ConsumerModule, imports: [rabbit], providers },
    { logger: false, abortOnError: false },
  );
  return () => app.close();
}

import 'reflect-metadata';
import { AmqpConnection, RabbitMQModule } from '@golevelup/nestjs-rabbitmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** Publishes to a queue; resolves on the broker's confirm. */
export type Publish = (queue: string, payload: unknown, options: object) => Promise<unknown>;

@Module({})
class PublisherModule {}

export async function golevelupPublisher(url: string): Promise<{ publish: Publish; close: () => Promise<void> }> {
  const rabbit = RabbitMQModule.forRoot({
    uri: url,
    connectionInitOptions: { wait: true },
    connectionManagerOptions: { connectionOptions: { noDelay: true } },
  });
  const app = await NestFactory.createApplicationContext(
    { module: PublisherModule, imports: [rabbit] },
    { logger: false, abortOnError: false },
  );
  const connection = app.get(AmqpConnection);
  return {
    publish: (queue, payload, options) => connection.publish('', queue, payload, options),
    close: () => app.close(),
  };
}

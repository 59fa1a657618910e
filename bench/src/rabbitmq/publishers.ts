import 'reflect-metadata';
import { EventsProducer, MississippiModule } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, RmqRecordBuilder, type RmqRecordOptions, Transport } from '@nestjs/microservices';
import { golevelupPublisher } from 'bench-golevelup';
import { SHARDS } from '../process/keys.js';
import { type Address, openConnection } from './queues.js';
import { properties } from './reading.js';

/** Publishes a payload; `confirmed` is called when the broker has confirmed it. */
export type Publish = (address: Address, payload: object, confirmed: () => void) => void;

export interface OpenPublisher {
  readonly publish: Publish;
  close(): Promise<unknown> | void;
}

@Module({})
class PublisherModule {}

async function mississippi(url: string, prefix: string): Promise<OpenPublisher> {
  const transport = rabbitmq({ urls: [url], queues: { prefix, totalCount: SHARDS } });
  const imports = [MississippiModule.forRoot({ transport, producerOnly: true })];
  const app = await NestFactory.createApplicationContext(
    { module: PublisherModule, imports },
    { logger: false, abortOnError: false },
  );
  const producer = app.get(EventsProducer);
  return {
    publish: ({ name }, payload, confirmed) => void producer.publish(payload, { shardingKey: name }).then(confirmed),
    close: () => app.close(),
  };
}

/** A bare program. It knows each key's bytes and queue beforehand. */
async function amqplib(url: string): Promise<OpenPublisher> {
  const model = await openConnection(url);
  const channel = await model.createConfirmChannel();
  return {
    publish: (address, payload, confirmed) => {
      const body = Buffer.from(JSON.stringify(payload));
      channel.publish('', address.queue, body, properties(address), (error: unknown) => {
        if (error !== null && error !== undefined) throw new Error('The broker refused a message.', { cause: error });
        confirmed();
      });
    },
    close: () => model.close(),
  };
}

/** Nest's client sends to one queue, or to an exchange by the pattern: here the pattern is the queue's name. */
async function nest(url: string, prefix: string): Promise<OpenPublisher> {
  Logger.overrideLogger(false);
  const exchange = `${prefix}exchange`;
  const model = await openConnection(url);
  const channel = await model.createChannel();
  await channel.assertExchange(exchange, 'direct', { durable: true });
  for (let index = 0; index < SHARDS; index++) {
    await channel.bindQueue(`${prefix}${index}`, exchange, `${prefix}${index}`);
  }
  await model.close();
  const socketOptions = { connectionOptions: { noDelay: true } };
  const client = ClientProxyFactory.create({
    transport: Transport.RMQ,
    options: { urls: [url], exchange, exchangeType: 'direct', wildcards: true, persistent: true, socketOptions },
  });
  await client.connect();
  return {
    publish(address, payload, confirmed) {
      // Its types know headers of text only.
      const options = properties(address) as RmqRecordOptions;
      const record = new RmqRecordBuilder(payload).setOptions(options).build();
      // It emits nothing and completes on the confirm.
      client.emit(address.queue, record).subscribe({ complete: confirmed });
    },
    close: () => client.close(),
  };
}

async function golevelup(url: string): Promise<OpenPublisher> {
  const { publish, close } = await golevelupPublisher(url);
  return {
    publish: (address, payload, confirmed) =>
      void publish(address.queue, payload, properties(address)).then(() => confirmed()),
    close,
  };
}

export const PUBLISHERS = { mississippi, amqplib, nest, golevelup } satisfies Record<
  string,
  (url: string, prefix: string) => Promise<OpenPublisher>
>;

export type PublisherName = keyof typeof PUBLISHERS;

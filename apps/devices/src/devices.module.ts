import { MississippiModule } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { type DynamicModule, Module } from '@nestjs/common';
import { DeviceHandler } from './device.handler.js';

/** What every producer must know of the queues, in whatever language: their prefix, and how many there are. */
export const QUEUES = { prefix: 'devices_', totalCount: 16 };

@Module({ providers: [DeviceHandler] })
export class DevicesModule {
  /** @param url of a RabbitMQ */
  static register(url: string, queues = QUEUES): DynamicModule {
    return {
      module: DevicesModule,
      imports: [MississippiModule.forRoot({ transport: rabbitmq({ urls: [url], queues }) })],
    };
  }
}

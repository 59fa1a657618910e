import { memory, MississippiModule, type Transport } from '@mississippi/core';
import { type DynamicModule, Module } from '@nestjs/common';
import { Endpoints } from './endpoints.js';
import { WebhookClient } from './webhook.client.js';
import { WebhookHandler } from './webhook.handler.js';

@Module({ providers: [WebhookClient, WebhookHandler] })
export class WebhooksModule {
  /** Embedded unless another transport is given. */
  static register(endpoints: Endpoints, transport: Transport = memory()): DynamicModule {
    return {
      module: WebhooksModule,
      imports: [MississippiModule.forRoot({ transport })],
      providers: [{ provide: Endpoints, useValue: endpoints }],
    };
  }
}

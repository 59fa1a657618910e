import { memory, MississippiModule, type Transport } from '@mississippi/core';
import { type DynamicModule, Module } from '@nestjs/common';
import { OrderHandler } from './order.handler.js';

@Module({})
export class OrdersModule {
  /** Embedded unless another transport is given. */
  static register(transport: Transport = memory()): DynamicModule {
    return { module: OrdersModule, imports: [MississippiModule.forRoot({ transport })], providers: [OrderHandler] };
  }
}

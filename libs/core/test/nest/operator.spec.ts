import { Injectable, Module } from '@nestjs/common';
import {
  getMississippiOperatorToken,
  InjectMississippiOperator,
  memory,
  MessageHandler,
  MississippiModule,
  MississippiOperator,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { AT_ONCE, closeApps, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

@MessageHandler()
class Handler implements DataUpdaterHandler {
  handleMessage(): void {
    throw new Error('broken');
  }
}

@Injectable()
class Console {
  constructor(
    readonly operator: MississippiOperator,
    @InjectMississippiOperator('orders') readonly orders: MississippiOperator,
  ) {}
}

@Module({ imports: [MississippiModule.forFeature(), MississippiModule.forFeature('orders')], providers: [Console] })
class ConsoleModule {}

@MessageHandler({ instance: 'orders' })
class OrderHandler implements DataUpdaterHandler {
  handleMessage(): void {}
}

test('an operator is injected, that of each instance, and knows what its instance has', async () => {
  const app = await startApp({
    imports: [
      MississippiModule.forRoot({
        transport: memory({ totalCount: 2 }),
        failurePolicy: { ...AT_ONCE, onExhausted: 'park' },
      }),
      MississippiModule.forRoot({ name: 'orders', transport: memory({ totalCount: 3 }) }),
      ConsoleModule,
    ],
    providers: [Handler, OrderHandler],
  });
  const { operator, orders } = app.get(Console, { strict: false });
  const parked = next(serviceOf(app), 'parked');
  await producerOf(app).publish(1, { shardingKey: 'k', type: 'flight' });
  await parked;
  const { keys } = await operator.keys({ troubled: true });
  expect(keys).toMatchObject([
    { key: 'k', trouble: 'parked', parkReason: 'attempts_exhausted', error: 'Error: broken' },
  ]);
  expect((await orders.keys()).keys).toEqual([]);
  expect(await operator.shards({ over: 1 })).toHaveLength(2);
  expect(await orders.shards({ over: 1 })).toHaveLength(3);
  expect(await operator.processes()).toMatchObject([{ self: true, shards: [0, 1] }]);
  expect(app.get(getMississippiOperatorToken('orders'), { strict: false })).toBeInstanceOf(MississippiOperator);
});

test('an operator refuses a key and a time-out that are none', async () => {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Handler] });
  const operator = app.get(MississippiOperator);
  await expect(operator.retry('')).rejects.toMatchObject({ code: 'missing_sharding_key' });
  await expect(operator.keys({ timeout: -1 })).rejects.toMatchObject({ code: 'invalid_message' });
});

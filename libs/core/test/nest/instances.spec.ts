import { Injectable, Module } from '@nestjs/common';
import {
  DataUpdaterService,
  EventsProducer,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  InjectDataUpdaterService,
  InjectEventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MessageContext,
  type Transport,
} from '@mississippi/core';
import { closeApps, createApp, next, producerOf, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

abstract class Listing implements DataUpdaterHandler {
  readonly seen: string[] = [];
  handleMessage(payload: unknown, _state: unknown, { instance, key }: MessageContext): void {
    this.seen.push(`${instance} ${key} ${String(payload)}`);
  }
}

@MessageHandler()
class DevicesHandler extends Listing {}

@MessageHandler({ instance: 'orders' })
class OrdersHandler extends Listing {}

@MessageHandler({ instance: 'payments' })
class PaymentsHandler extends Listing {}

@Injectable()
class Shop {
  constructor(
    readonly devices: EventsProducer,
    readonly devicesService: DataUpdaterService,
    @InjectEventsProducer('orders') readonly orders: EventsProducer,
    @InjectDataUpdaterService('orders') readonly ordersService: DataUpdaterService,
  ) {}

  @InjectEventsProducer('payments') readonly payments!: EventsProducer;
  @InjectDataUpdaterService('payments') readonly paymentsService!: DataUpdaterService;
}

test('several instances live side by side, each with its handler, its transport and its services', async () => {
  const [devices, orders, payments] = [memory(), memory(), memory({ totalCount: 4 })];
  const app = await startApp({
    imports: [
      MississippiModule.forRoot({ transport: devices }),
      MississippiModule.forRoot({ name: 'orders', transport: orders }),
      MississippiModule.forRootAsync({ name: 'payments', useFactory: () => ({ transport: payments }) }),
    ],
    providers: [DevicesHandler, OrdersHandler, PaymentsHandler, Shop],
  });
  const shop = app.get(Shop);
  const handled = [shop.devicesService, shop.ordersService, shop.paymentsService].map((service) =>
    next(service, 'handled'),
  );
  await shop.devices.publish('on', { shardingKey: 'device' });
  await shop.orders.publish('new', { shardingKey: 'order' });
  await shop.payments.publish('paid', { shardingKey: 'order' });
  await Promise.all(handled);
  expect(app.get(DevicesHandler).seen).toEqual(['default device on']);
  expect(app.get(OrdersHandler).seen).toEqual(['orders order new']);
  expect(app.get(PaymentsHandler).seen).toEqual(['payments order paid']);
  expect(shop.paymentsService.status().shards).toBe(4);
});

describe('a transport object that an instance uses', () => {
  test('is refused to another one of the same app', async () => {
    const transport = memory();
    const error = await startError({
      imports: [MississippiModule.forRoot({ transport }), MississippiModule.forRoot({ name: 'orders', transport })],
      providers: [DevicesHandler, OrdersHandler],
    });
    expect(error).toMatchObject({ code: 'transport_in_use' });
    expect(error.message).toContain("'orders'");
    expect(error.message).toContain("'default'");
    expect(error.message).toContain('make one for each instance');
  });

  const metadata = (transport: Transport) => ({
    imports: [MississippiModule.forRoot({ transport })],
    providers: [DevicesHandler],
  });

  test('is refused to another app, until the first one has closed', async () => {
    const transport = memory();
    const first = await startApp(metadata(transport));
    const second = await createApp(metadata(transport));
    await expect(second.init()).rejects.toMatchObject({ code: 'transport_in_use' });
    await first.close();
    const third = await startApp(metadata(transport));
    expect(serviceOf(third).status().shards).toBe(128);
  });

  test('may be tried again where it could not connect', async () => {
    const inner = memory();
    let fails = true;
    const transport: Transport = {
      name: 'flaky',
      connect: (context) => (fails ? Promise.reject(new Error('away')) : inner.connect(context)),
    };
    await expect((await createApp(metadata(transport))).init()).rejects.toThrow('away');
    fails = false;
    expect(serviceOf(await startApp(metadata(transport))).status().shards).toBe(128);
  });

  test('is not needed to share a broker', async () => {
    const { broker } = memory();
    await startApp(metadata(memory({ broker })));
    await startApp(metadata(memory({ broker })));
  });
});

test('the tokens of an instance are those that its decorators inject', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ name: 'orders', global: true })],
    providers: [OrdersHandler],
  });
  expect(app.get(getEventsProducerToken('orders'), { strict: false })).toBe(producerOf(app, 'orders'));
  expect(app.get(getDataUpdaterServiceToken('orders'), { strict: false })).toBe(serviceOf(app, 'orders'));
  expect(getEventsProducerToken()).toBe(EventsProducer);
  expect(getDataUpdaterServiceToken('default')).toBe(DataUpdaterService);
});

describe('two registrations of one name are refused', () => {
  @Module({ imports: [MississippiModule.forRoot({ name: 'orders', transport: memory() })] })
  class FeatureModule {}

  test.each([
    ['the default name', [MississippiModule.forRoot(), MississippiModule.forRoot()], 'default'],
    [
      'forRoot and forRootAsync',
      [MississippiModule.forRoot(), MississippiModule.forRootAsync({ useFactory: () => ({ concurrency: 1 }) })],
      'default',
    ],
    ['in two modules', [FeatureModule, MississippiModule.forRoot({ name: 'orders', concurrency: 1 })], 'orders'],
  ])('%s', async (_name, imports, name) => {
    const error = await startError({ imports, providers: [DevicesHandler, OrdersHandler] });
    expect(error).toMatchObject({ code: 'duplicate_instance' });
    expect(error.message).toContain(`registered twice under the name '${name}'`);
    expect(error.message).toContain('forRoot({ name })');
  });
});

test('one registration that several modules import is one instance', async () => {
  const registration = MississippiModule.forRoot({ transport: memory() });
  @Module({ imports: [registration], providers: [DevicesHandler] })
  class DevicesModule {}
  @Module({ imports: [registration] })
  class OtherModule {}
  const app = await startApp({ imports: [OtherModule, DevicesModule, registration] });
  const handled = next(serviceOf(app), 'handled');
  await producerOf(app).publish('on', { shardingKey: 'device' });
  await handled;
  expect(app.get(DevicesHandler, { strict: false }).seen).toEqual(['default device on']);
});

test('apps in one process do not see each other', async () => {
  const metadata = () => ({ imports: [MississippiModule.forRoot()], providers: [DevicesHandler] });
  const [first, second] = [await startApp(metadata()), await startApp(metadata())];
  const handled = next(serviceOf(first), 'handled');
  await producerOf(first).publish('on', { shardingKey: 'device' });
  await handled;
  expect(second.get(DevicesHandler).seen).toEqual([]);
});

test('the order of two instances that share a key is their own each', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot(), MississippiModule.forRoot({ name: 'orders' })],
    providers: [DevicesHandler, OrdersHandler],
  });
  await serviceOf(app).handleMessage('k', { payload: 1 });
  await serviceOf(app, 'orders').handleMessage('k', { payload: 2 });
  expect([...serviceOf(app).liveKeys()].map(({ key }) => key)).toEqual(['k']);
  expect(app.get(OrdersHandler).seen).toEqual(['orders k 2']);
});

test('an app that only publishes, beside the one that handles, is told where to ask', async () => {
  const { broker } = memory();
  const handling = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ broker }) })],
    providers: [DevicesHandler],
  });
  const publishing = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ broker }), producerOnly: true })],
  });
  const handled = next(serviceOf(handling), 'handled');
  await producerOf(publishing).publish('x', { shardingKey: 'k' });
  await handled;
  const service = serviceOf(publishing);
  const calls = [
    () => service.handleSignal('k', 1),
    () => service.handleMessage('k', { payload: 1 }),
    () => service.getDataUpdater('k'),
    () => service.park('k'),
  ];
  for (const call of calls) {
    await expect(call()).rejects.toMatchObject({
      code: 'shard_not_owned',
      message: expect.stringMatching(
        /this app does not own: .* reaches no other app: ask the DataUpdaterService/,
      ) as string,
    });
  }
});

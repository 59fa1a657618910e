import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import {
  DataUpdaterService,
  EventsProducer,
  getEventsProducerToken,
  InjectDataUpdaterService,
  InjectEventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { closeApps, next, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

const failures: unknown[] = [];
beforeEach(() => void failures.splice(0));

@Injectable()
class Shop implements OnModuleInit {
  constructor(
    readonly producer: EventsProducer,
    readonly dataUpdaters: DataUpdaterService,
    @InjectEventsProducer('orders') readonly orders: EventsProducer,
    @InjectDataUpdaterService('orders') readonly orderUpdaters: DataUpdaterService,
  ) {}
  async onModuleInit(): Promise<void> {
    await this.orders.publish(1, { shardingKey: 'k' }).catch((error: unknown) => failures.push(error));
  }
}

@MessageHandler()
class Handler implements DataUpdaterHandler {
  handleMessage(): void {}
  handleSignal(signal: unknown): unknown {
    return ['default', signal];
  }
}

@MessageHandler({ instance: 'orders' })
class OrderHandler implements DataUpdaterHandler {
  constructor(readonly producer: EventsProducer) {}
  handleMessage(): void {}
  handleSignal(signal: unknown): unknown {
    return ['orders', signal];
  }
}

@Module({
  imports: [MississippiModule.forFeature(), MississippiModule.forFeature('orders')],
  providers: [Shop, Handler, OrderHandler],
})
class ShopModule {}

const roots = () => [
  MississippiModule.forRoot(),
  MississippiModule.forRootAsync({
    name: 'orders',
    useFactory: async () => ({ transport: memory({ totalCount: 3 }) }),
  }),
];

test.each([
  ['before', () => [ShopModule, ...roots()]],
  ['behind', () => [...roots(), ShopModule]],
])(
  'a feature module %s the root registrations has the services of both instances, without global',
  async (_name, imports) => {
    const app = await startApp({ imports: imports() });
    const { producer, dataUpdaters, orders, orderUpdaters } = app.get(Shop, { strict: false });
    const handled = [next(dataUpdaters, 'handled'), next(orderUpdaters, 'handled')];
    await producer.publish(1, { shardingKey: 'k' });
    await handled[0];
    await orders.publish(1, { shardingKey: 'k' });
    await handled[1];
    expect(await dataUpdaters.handleSignal('k', 1)).toEqual(['default', 1]);
    expect(await orderUpdaters.handleSignal('k', 2)).toEqual(['orders', 2]);
    expect(orderUpdaters.status().shards).toBe(3);
    expect(serviceOf(app).status()).toEqual(dataUpdaters.status());
    expect(failures).toEqual([expect.objectContaining({ code: 'not_started' })]);
  },
);

test('without it a feature module has none', async () => {
  @Module({
    providers: [{ provide: 'user', useFactory: (x: unknown) => x, inject: [getEventsProducerToken('orders')] }],
  })
  class Without {}
  await expect(startApp({ imports: [...roots(), ShopModule, Without] })).rejects.toThrow(/events-producer/);
});

describe('an app says what to do where', () => {
  test('the module is imported without options', async () => {
    const error = await startError({ imports: [MississippiModule] });
    expect(error).toMatchObject({ name: 'NotRegisteredError', code: 'not_registered' });
    expect(error.message).toBe(
      'MississippiModule was imported without options: import MississippiModule.forRoot(…) in the root module, once for each instance, and MississippiModule.forFeature() where a feature module needs its services.',
    );
  });

  test('it is imported so in a feature module, beside forRoot elsewhere', async () => {
    @Module({ imports: [MississippiModule] })
    class Feature {}
    const error = await startError({ imports: [MississippiModule.forRoot(), Feature], providers: [Handler] });
    expect(error).toMatchObject({ code: 'not_registered' });
  });

  test('forFeature names an instance that nobody registers', async () => {
    const imports = [MississippiModule.forRoot(), MississippiModule.forFeature('order')];
    const error = await startError({ imports, providers: [Handler] });
    expect(error.message).toBe(
      "MississippiModule.forFeature('order') was imported, but the instance 'order' does not exist (there is: default): import MississippiModule.forRoot({ name: 'order' }) in the root module, or correct the name.",
    );
  });

  test('nobody registers any', async () => {
    const error = await startError({ imports: [MississippiModule.forFeature()] });
    expect(error.message).toContain('(there is none): import MississippiModule.forRoot() in the root module');
  });

  test('forFeature gets no name', () => {
    expect(() => MississippiModule.forFeature([Handler] as never)).toThrow(
      /forFeature: the name of an instance was expected/,
    );
  });

  test('an instance is registered twice', async () => {
    const error = await startError({
      imports: [MississippiModule.forRoot(), MississippiModule.forRoot({ producerOnly: false })],
      providers: [Handler],
    });
    expect(error.message).toBe(
      "MississippiModule is registered twice under the name 'default': register it once, in the root module; where a feature module needs its services, import MississippiModule.forFeature(); for another instance, give it a name of its own with forRoot({ name }).",
    );
  });
});

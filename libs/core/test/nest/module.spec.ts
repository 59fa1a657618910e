import { Inject, Injectable, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ack,
  DataUpdaterService,
  EventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MississippiOptions,
} from '@mississippi/core';
import { closeApps, next, producerOf, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

@MessageHandler()
class Counter implements DataUpdaterHandler<number> {
  init(): number {
    return 0;
  }
  handleMessage(_payload: unknown, count: number) {
    return ack(count + 1);
  }
  handleSignal(_signal: unknown, count: number): number {
    return count;
  }
}

/** Publishes one message through the app and asks for the count. */
async function countOne(metadata: ModuleMetadata): Promise<unknown> {
  const app = await startApp(metadata);
  const handled = next(serviceOf(app), 'handled');
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await handled;
  return serviceOf(app).handleSignal('k', 'count');
}

test('forRoot() without options handles what is published', async () => {
  expect(await countOne({ imports: [MississippiModule.forRoot()], providers: [Counter] })).toBe(1);
});

describe('forRootAsync takes its options', () => {
  const transport = memory({ totalCount: 1 });

  @Injectable()
  class Settings {
    readonly shared = transport;
  }

  @Injectable()
  class SettingsFactory {
    constructor(private readonly settings: Settings) {}
    createMississippiOptions(): MississippiOptions {
      return { transport: this.settings.shared };
    }
  }

  @Module({ providers: [Settings, SettingsFactory], exports: [Settings, SettingsFactory] })
  class SettingsModule {}

  test.each([
    ['useFactory', MississippiModule.forRootAsync({ useFactory: () => ({ transport }) })],
    ['an asynchronous useFactory', MississippiModule.forRootAsync({ useFactory: async () => ({ transport }) })],
    [
      'useFactory with imports and inject',
      MississippiModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: (settings: Settings) => ({ transport: settings.shared }),
      }),
    ],
    ['useClass', MississippiModule.forRootAsync({ imports: [SettingsModule], useClass: SettingsFactory })],
    ['useExisting', MississippiModule.forRootAsync({ imports: [SettingsModule], useExisting: SettingsFactory })],
  ])('from %s', async (_name, module) => {
    const app = await startApp({ imports: [module], providers: [Counter] });
    expect(serviceOf(app).status().shards).toBe(1);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['a string', 'amqp://localhost'],
    ['an array', []],
  ])('and refuses a factory that returns %s', async (_name, value) => {
    const module = MississippiModule.forRootAsync({ useFactory: () => value as unknown as MississippiOptions });
    const error = await startError({ imports: [module], providers: [Counter] });
    expect(error).toMatchObject({ code: 'invalid_options' });
    expect(error.message).toMatch(/^Invalid option forRoot: an object was expected, not /);
  });

  test.each([
    ['name', 'orders'],
    ['global', true],
  ])('but not %s, which would come too late', async (name, value) => {
    const module = MississippiModule.forRootAsync({ useFactory: () => ({ [name]: value }) });
    const error = await startError({ imports: [module], providers: [Counter] });
    expect(error.message).toContain(`forRoot.${name}: `);
    expect(error.message).toContain('beside useFactory');
  });
});

describe('its services', () => {
  @Injectable()
  class Sensor {
    constructor(
      readonly producer: EventsProducer,
      readonly service: DataUpdaterService,
    ) {}
  }

  @Module({ providers: [Sensor] })
  class SensorModule {}

  test('are injected by their classes where the module is imported', async () => {
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Counter, Sensor] });
    expect(app.get(Sensor).producer).toBe(producerOf(app));
    expect(app.get(Sensor).service).toBe(serviceOf(app));
  });

  test('are not visible in other modules by default', async () => {
    const error = await startError({ imports: [MississippiModule.forRoot(), SensorModule], providers: [Counter] });
    expect(error.message).toContain('EventsProducer');
  });

  test.each([
    ['forRoot', MississippiModule.forRoot({ global: true })],
    ['forRootAsync', MississippiModule.forRootAsync({ global: true, useFactory: () => ({}) })],
  ])('are visible everywhere with global: true in %s', async (_name, module) => {
    const app = await startApp({ imports: [SensorModule, module], providers: [Counter] });
    expect(app.get(Sensor, { strict: false }).producer).toBe(producerOf(app));
  });

  test('are exported on by a module that exports the registration', async () => {
    const registration = MississippiModule.forRoot();
    @Module({ imports: [registration], exports: [registration] })
    class MessagingModule {}
    @Module({ imports: [MessagingModule], providers: [Sensor] })
    class FeatureModule {}
    const app = await startApp({ imports: [FeatureModule], providers: [Counter] });
    expect(app.get(Sensor, { strict: false }).service).toBe(serviceOf(app));
  });

  test('are the same whichever way the handler and what it injects are ordered', async () => {
    @MessageHandler()
    class Asking implements DataUpdaterHandler {
      constructor(
        readonly producer: EventsProducer,
        @Inject('LATE') readonly late: string,
      ) {}
      handleMessage(): void {}
    }
    const late: Provider = { provide: 'LATE', useFactory: async () => 'made later' };
    for (const providers of [
      [Asking, late],
      [late, Asking],
    ]) {
      const app = await startApp({ imports: [MississippiModule.forRoot()], providers });
      expect(app.get(Asking).late).toBe('made later');
      expect(app.get(Asking).producer).toBe(producerOf(app));
    }
  });
});

test('a producerOnly app publishes, needs no handler and claims no shard', async () => {
  const transport = memory({ broker: memory().broker });
  const app = await startApp({ imports: [MississippiModule.forRoot({ transport, producerOnly: true })] });
  await producerOf(app).publish('x', { shardingKey: 'k' });
  expect(transport.broker.length).toBe(1);
  expect(serviceOf(app).status().shards).toBe(0);
});

test('what a producerOnly app published, an app that shares the broker handles', async () => {
  const { broker } = memory();
  const publishing = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ broker }), producerOnly: true })],
  });
  const handling = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ broker }) })],
    providers: [Counter],
  });
  const handled = next(serviceOf(handling), 'handled');
  await producerOf(publishing).publish('x', { shardingKey: 'k' });
  expect(await handled).toMatchObject({ key: 'k' });
});

test.each([
  ['by default', undefined],
  ['explicitly', memory()],
])(
  'a producerOnly app whose messages nobody can ever handle refuses to start: embedded %s',
  async (_how, transport) => {
    const error = await startError({
      imports: [MississippiModule.forRoot({ producerOnly: true, ...(transport === undefined ? {} : { transport }) })],
    });
    expect(error).toMatchObject({ code: 'invalid_options' });
    expect(error.message).toContain('forRoot.producerOnly');
    expect(error.message).toContain('memory({ broker })');
  },
);

test('a producerOnly app with a handler refuses to start and says which of the two must go', async () => {
  const error = await startError({
    imports: [MississippiModule.forRoot({ producerOnly: true })],
    providers: [Counter],
  });
  expect(error).toMatchObject({ code: 'unexpected_handler' });
  expect(error.message).toContain('Counter');
  expect(error.message).toContain('remove the handler from this app, or producerOnly');
});

test('it runs in an application context without HTTP', async () => {
  @Module({ imports: [MississippiModule.forRoot()], providers: [Counter] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  try {
    const handled = next(app.get(DataUpdaterService), 'handled');
    await app.get(EventsProducer).publish('x', { shardingKey: 'k' });
    await handled;
    expect(await app.get(DataUpdaterService).handleSignal('k', 'count')).toBe(1);
  } finally {
    await app.close();
  }
});

import {
  Global,
  Injectable,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type INestApplication,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ack,
  DataUpdaterService,
  EventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MemoryTransport,
  type MessageContext,
} from '@mississippi/core';
import { closeApps, draining, Gate, Logs, next, producerOf, serviceOf, startApp, turn } from './support/app.js';

afterEach(closeApps);

let order: string[] = [];
beforeEach(() => {
  order = [];
});

/** What handlers use, and what is of no use any more once it is destroyed. */
@Injectable()
class Database implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  open = true;
  write(what: string): void {
    order.push(`${what}${this.open ? '' : ' into a closed database'}`);
  }
  onModuleDestroy(): void {
    this.open = false;
    order.push('database destroyed');
  }
  beforeApplicationShutdown(): void {
    order.push('before shutdown');
  }
  onApplicationShutdown(): void {
    order.push('shutdown');
  }
}

class Gates {
  readonly running = new Gate();
  readonly go = new Gate();
}
let gates = new Gates();
beforeEach(() => {
  gates = new Gates();
});

@MessageHandler()
class Writer implements DataUpdaterHandler<number> {
  constructor(private readonly database: Database) {}
  init(): number {
    return 0;
  }
  async handleMessage(_payload: unknown, count: number) {
    gates.running.resolve();
    await gates.go.promise;
    this.database.write('message handled');
    return ack(count + 1);
  }
  terminate(reason: unknown): void {
    this.database.write(`terminated: ${String(reason)}`);
  }
}

/** An embedded transport whose messages outlive the app, as they do with a real broker: nothing is waited for that has not started. */
function outliving(): MemoryTransport {
  return memory({ broker: memory().broker });
}

/** Publishes a message, closes the app while its handler runs, and lets the handler go on only then. */
async function closeWhileRunning(app: INestApplication, ...instances: string[]): Promise<void> {
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await gates.running.promise;
  const closed = app.close();
  await draining(app, ...instances);
  expect(order).toEqual([]);
  gates.go.resolve();
  await closed;
}

const EXPECTED = ['message handled', 'terminated: shutdown', 'database destroyed', 'before shutdown', 'shutdown'];

describe('closing the app drains before anything that the handler uses is destroyed', () => {
  @Module({ providers: [Database], exports: [Database] })
  class DatabaseModule {}

  @Global()
  @Module({ providers: [Database], exports: [Database] })
  class GlobalDatabaseModule {}

  @Module({ imports: [DatabaseModule], providers: [Writer] })
  class WriterModule {}

  @Module({ providers: [Writer] })
  class WriterOfGlobalModule {}

  @Module({ imports: [WriterModule] })
  class DeepModule {}

  const orders: [string, (registration: DynamicModule, ...rest: Type[]) => (DynamicModule | Type)[]][] = [
    ['imported first', (registration, ...rest) => [registration, ...rest]],
    ['imported last', (registration, ...rest) => [...rest, registration]],
  ];
  const registrations: [string, () => DynamicModule][] = [
    ['a local registration', () => MississippiModule.forRoot({ transport: outliving() })],
    ['a global registration', () => MississippiModule.forRoot({ global: true, transport: outliving() })],
    [
      'an asynchronous one',
      () => MississippiModule.forRootAsync({ useFactory: async () => ({ transport: outliving() }) }),
    ],
    [
      'a global asynchronous one',
      () => MississippiModule.forRootAsync({ global: true, useFactory: () => ({ transport: outliving() }) }),
    ],
  ];

  describe.each(registrations)('with %s', (_registration, register) => {
    describe.each(orders)('%s', (_order, arrange) => {
      test('where the dependency is in a module of its own', async () => {
        const app = await startApp({ imports: arrange(register(), WriterModule) });
        await closeWhileRunning(app);
        expect(order).toEqual(EXPECTED);
      });

      test('where the dependency is deep down', async () => {
        const app = await startApp({ imports: arrange(register(), DeepModule) });
        await closeWhileRunning(app);
        expect(order).toEqual(EXPECTED);
      });

      test('where handler and dependency are in the root module', async () => {
        const app = await startApp({ imports: arrange(register()), providers: [Writer, Database] });
        await closeWhileRunning(app);
        expect(order).toEqual(EXPECTED);
      });

      test('where the dependency is in a global module', async () => {
        const app = await startApp({ imports: arrange(register(), GlobalDatabaseModule, WriterOfGlobalModule) });
        await closeWhileRunning(app);
        expect(order).toEqual(EXPECTED);
      });
    });
  });

  test('where the registration sits in the feature module of the handler', async () => {
    @Module({ imports: [DatabaseModule, MississippiModule.forRoot({ transport: outliving() })], providers: [Writer] })
    class FeatureModule {}
    @Module({ imports: [FeatureModule] })
    class AppModule {}
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.init();
    await closeWhileRunning(app);
    expect(order).toEqual(EXPECTED);
  });

  test('where two instances share the dependency', async () => {
    @MessageHandler({ instance: 'orders' })
    class Orders extends Writer {}
    const app = await startApp({
      imports: [
        MississippiModule.forRoot({ transport: outliving() }),
        DatabaseModule,
        MississippiModule.forRoot({ name: 'orders', global: true, transport: outliving() }),
      ],
      providers: [Writer, Orders],
    });
    await producerOf(app, 'orders').publish('x', { shardingKey: 'k' });
    await closeWhileRunning(app, 'orders');
    expect(order.slice(0, 4).toSorted()).toEqual([
      'message handled',
      'message handled',
      'terminated: shutdown',
      'terminated: shutdown',
    ]);
    expect(order.slice(4)).toEqual(EXPECTED.slice(2));
  });
});

describe('while it drains', () => {
  test('what waits behind a running message is not started, and stays in the transport', async () => {
    const transport = outliving();
    const app = await startApp({ imports: [MississippiModule.forRoot({ transport })], providers: [Writer, Database] });
    await producerOf(app).publish('second', { shardingKey: 'k', messageId: 'a' });
    await producerOf(app).publish('second', { shardingKey: 'k', messageId: 'b' });
    await closeWhileRunning(app);
    expect(order.filter((what) => what === 'message handled')).toHaveLength(1);
    expect(transport.broker.length).toBe(2);
  });

  test('a handler may publish, and what it published another app handles', async () => {
    @MessageHandler()
    class Forwarding implements DataUpdaterHandler<unknown, string> {
      constructor(private readonly producer: EventsProducer) {}
      async handleMessage(payload: string, _state: unknown, { key }: MessageContext): Promise<void> {
        order.push(`${key} ${payload}`);
        if (payload !== 'forward') return;
        gates.running.resolve();
        await gates.go.promise;
        await this.producer.publish('forwarded', { shardingKey: 'other' });
        order.push('published');
      }
    }
    const { broker } = memory();
    const metadata = () => ({
      imports: [MississippiModule.forRoot({ transport: memory({ broker }) })],
      providers: [Forwarding],
    });
    const first = await startApp(metadata());
    await producerOf(first).publish('forward', { shardingKey: 'k' });
    await gates.running.promise;
    const closed = first.close();
    await draining(first);
    gates.go.resolve();
    await closed;
    const second = await startApp(metadata());
    while (broker.length > 0) await next(serviceOf(second), 'handled');
    expect(order).toEqual(['k forward', 'published', 'other forwarded']);
  });

  test('calls of the service are refused, and say that the app is shutting down', async () => {
    const app = await startApp({
      imports: [MississippiModule.forRoot({ transport: outliving() })],
      providers: [Writer, Database],
    });
    const service = serviceOf(app);
    await producerOf(app).publish('x', { shardingKey: 'k' });
    await gates.running.promise;
    const closed = app.close();
    await draining(app);
    for (const call of [
      () => service.handleMessage('k2', { payload: 1 }),
      () => service.handleSignal('k2', 1),
      () => service.getDataUpdater('k2'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'shutting_down' });
    }
    gates.go.resolve();
    await closed;
  });
});

test('after it closed, publish rejects with a typed error', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport: outliving() })],
    providers: [Writer, Database],
  });
  const producer = producerOf(app);
  await app.close();
  await expect(producer.publish('x', { shardingKey: 'k' })).rejects.toMatchObject({
    code: 'publish_failed',
    reason: 'closed',
    message: expect.stringContaining('the app has shut down'),
  });
});

test('a second close while the first one drains waits for it too', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport: outliving() })],
    providers: [Writer, Database],
  });
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await gates.running.promise;
  const first = app.close();
  await draining(app);
  const second = app.close();
  await turn();
  expect(order).toEqual([]);
  gates.go.resolve();
  await Promise.all([first, second]);
  expect(order.slice(0, 3)).toEqual(EXPECTED.slice(0, 3));
});

test('closing twice, at once and again, is harmless', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport: outliving() })],
    providers: [Writer, Database],
  });
  const service = serviceOf(app);
  await service.getDataUpdater('k');
  await Promise.all([app.close(), app.close()]);
  await app.close();
  expect(order.filter((what) => what === 'terminated: shutdown')).toHaveLength(1);
  expect(service.status()).toMatchObject({ liveKeys: 0, shards: 0, transport: { connected: false } });
});

test('an app that never started closes in good order', async () => {
  @Module({ imports: [MississippiModule.forRoot({ transport: outliving() })], providers: [Writer, Database] })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await app.close();
  expect(app.get(DataUpdaterService)).toBeInstanceOf(DataUpdaterService);
});

test('a drain past drainTimeout tells the handler by its signal and does not wait for ever', async () => {
  @MessageHandler()
  class Endless implements DataUpdaterHandler {
    async handleMessage(_payload: unknown, _state: unknown, { abortSignal: signal }: MessageContext): Promise<void> {
      gates.running.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      order.push(`told: ${(signal.reason as Error).name}`);
    }
  }
  const logs = new Logs();
  const imports = [MississippiModule.forRoot({ drainTimeout: 5 })];
  const app = await startApp({ imports, providers: [Endless] }, undefined, logs);
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await gates.running.promise;
  await app.close();
  expect(order).toEqual(['told: ShuttingDownError']);
});

test('the events end with the app', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport: outliving() })],
    providers: [Writer, Database],
  });
  const ended = new Gate();
  serviceOf(app).events.subscribe({ complete: () => ended.resolve() });
  await app.close();
  await ended.promise;
});

describe('closing an app whose messages are lost with it', () => {
  test('handles all that is queued first', async () => {
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Writer, Database] });
    for (let message = 0; message < 20; message++) await producerOf(app).publish('x', { shardingKey: 'k' });
    await gates.running.promise;
    const closed = app.close();
    gates.go.resolve();
    await closed;
    expect(order.filter((what) => what === 'message handled')).toHaveLength(20);
    expect(order.slice(-4)).toEqual(EXPECTED.slice(1));
  });

  test('handles what the handler of one instance publishes for another, whichever was registered first', async () => {
    @MessageHandler({ instance: 'orders' })
    class Orders implements DataUpdaterHandler<unknown, string> {
      constructor(private readonly producer: EventsProducer) {}
      async handleMessage(payload: string): Promise<void> {
        gates.running.resolve();
        await gates.go.promise;
        await this.producer.publish(payload, { shardingKey: payload });
      }
    }
    for (const name of [undefined, 'orders']) {
      gates = new Gates();
      order = [];
      const registrations = [MississippiModule.forRoot(), MississippiModule.forRoot({ name: 'orders' })];
      const imports = name === undefined ? registrations : registrations.toReversed();
      const app = await startApp({ imports, providers: [Orders, Writer, Database] });
      for (const payload of ['a', 'b', 'c']) {
        await producerOf(app, 'orders').publish(payload, { shardingKey: payload });
      }
      await gates.running.promise;
      const closed = app.close();
      gates.go.resolve();
      await closed;
      expect(order.filter((what) => what === 'message handled')).toHaveLength(3);
    }
  });
});

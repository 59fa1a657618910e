import {
  Injectable,
  Module,
  type INestApplicationContext,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  DataUpdaterService,
  EventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type Transport,
} from '@mississippi/core';
import type { ShardConsumer } from '@mississippi/core/transport';
import { partsOf } from '../../src/memory/memory-broker.js';
import { closeApps, createApp, Gate, Logs, next, serviceOf, startApp, startError, turn } from './support/app.js';

afterEach(closeApps);

const seen: unknown[] = [];
const failures: unknown[] = [];
beforeEach(() => {
  seen.splice(0);
  failures.splice(0);
});

@MessageHandler()
class Keeping implements DataUpdaterHandler {
  handleMessage(payload: unknown): void {
    seen.push(payload);
  }
}

const keep = (error: unknown): void => void failures.push(error);

@Injectable()
class Early implements OnModuleInit {
  constructor(
    private readonly producer: EventsProducer,
    private readonly service: DataUpdaterService,
  ) {
    void producer.publish('from the constructor', { shardingKey: 'k' }).catch(keep);
  }
  async onModuleInit(): Promise<void> {
    await this.producer.publish('from onModuleInit', { shardingKey: 'k' }).catch(keep);
    await this.service.handleSignal('k', 'x').catch(keep);
    await this.service.handleMessage('k', { payload: 1 }).catch(keep);
    await this.service.getDataUpdater('k').catch(keep);
  }
}

@Injectable()
class AtBootstrap implements OnApplicationBootstrap {
  constructor(private readonly producer: EventsProducer) {}
  async onApplicationBootstrap(): Promise<void> {
    await this.producer.publish('from onApplicationBootstrap', { shardingKey: 'k' });
    seen.push('published');
  }
}

/** The user of the services before and after the registration, in its own module where that is global. */
function arrangements(user: Type): [string, ModuleMetadata][] {
  @Module({ providers: [user] })
  class UserModule {}
  const [local, global] = [MississippiModule.forRoot(), MississippiModule.forRoot({ global: true })];
  return [
    ['beside the handler', { imports: [local], providers: [user, Keeping] }],
    ['behind the handler', { imports: [local], providers: [Keeping, user] }],
    ['in a module before a global registration', { imports: [UserModule, global], providers: [Keeping] }],
    ['in a module after a global registration', { imports: [global, UserModule], providers: [Keeping] }],
  ];
}

test.each(arrangements(Early))(
  'a call before the app has started gets NotStartedError and says when to call: %s',
  async (_name, metadata) => {
    await startApp(metadata);
    expect(failures).toHaveLength(5);
    for (const error of failures) {
      expect(error).toMatchObject({ name: 'NotStartedError', code: 'not_started' });
      expect((error as Error).message).toBe(
        "The instance 'default' was called before the app had started: call it after app.init() or app.listen(), not from a constructor or onModuleInit.",
      );
    }
  },
);

test.each(arrangements(AtBootstrap))('onApplicationBootstrap may publish already: %s', async (_name, metadata) => {
  const app = await createApp(metadata);
  const handled = next(serviceOf(app), 'handled');
  await app.init();
  await handled;
  expect(seen).toEqual(['published', 'from onApplicationBootstrap']);
});

test('nothing is handled before every other provider has bootstrapped', async () => {
  const { broker } = memory();
  const publishing = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ broker }), producerOnly: true })],
  });
  await publishing.get(EventsProducer, { strict: false }).publish('waiting', { shardingKey: 'k' });
  @Injectable()
  class Slow implements OnApplicationBootstrap {
    async onApplicationBootstrap(): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push('bootstrapped');
    }
  }
  @Module({ providers: [Slow] })
  class SlowModule {}
  const registration = MississippiModule.forRoot({ transport: memory({ broker }) });
  const app = await createApp({ imports: [registration, SlowModule], providers: [Keeping] });
  const handled = next(serviceOf(app), 'handled');
  await app.init();
  await handled;
  expect(seen).toEqual(['bootstrapped', 'waiting']);
});

test('a transport that cannot connect stops the app with its own error', async () => {
  const transport: Transport = {
    name: 'broken',
    connect: () => Promise.reject(new Error('nobody listens at that address')),
  };
  const error = await startError({ imports: [MississippiModule.forRoot({ transport })], providers: [Keeping] });
  expect(error.message).toBe('nobody listens at that address');
});

test('an app of which another part fails to start disconnects when it is closed', async () => {
  const calls: string[] = [];
  const inner = memory();
  const transport: Transport = {
    name: 'watched',
    async connect(context) {
      const connection = await inner.connect(context);
      const close = connection.close.bind(connection);
      connection.close = () => {
        calls.push('closed');
        return close();
      };
      calls.push('connected');
      return connection;
    },
  };
  @Injectable()
  class Failing implements OnApplicationBootstrap {
    onApplicationBootstrap(): never {
      throw new Error('another part failed');
    }
  }
  const app = await createApp({ imports: [MississippiModule.forRoot({ transport })], providers: [Keeping, Failing] });
  await expect(app.init()).rejects.toThrow('another part failed');
  await app.close();
  expect(calls).toEqual(['connected', 'closed']);
});

describe('the warning that shutdown hooks are missing', () => {
  const TEXT =
    'Shutdown hooks are not enabled, so a SIGTERM ends handlers in the middle of their work: call app.enableShutdownHooks() in main.ts.';

  @Module({ imports: [MississippiModule.forRoot()], providers: [Keeping] })
  class AppModule {}

  @Module({
    imports: [MississippiModule.forRoot({ producerOnly: true, transport: memory({ broker: memory().broker }) })],
  })
  class ProducerModule {}

  async function warnings(module: Type, configure: (app: INestApplicationContext) => void): Promise<string[]> {
    const logs = new Logs();
    const app = await NestFactory.createApplicationContext(module, { logger: logs, abortOnError: false });
    configure(app);
    await turn();
    await app.close();
    return logs.warnings;
  }

  test('is logged once where they are not enabled', async () => {
    expect(await warnings(AppModule, () => undefined)).toEqual([TEXT]);
  });

  test('is not logged where they are, even if only after a context was created', async () => {
    expect(await warnings(AppModule, (app) => app.enableShutdownHooks())).toEqual([]);
  });

  test('is not logged for an app that handles nothing', async () => {
    expect(await warnings(ProducerModule, () => undefined)).toEqual([]);
  });
});

describe('an app that is closed while it starts', () => {
  /** An embedded transport that gets no further than the test lets it. */
  function gated() {
    const inner = memory();
    const gates = { connect: new Gate(), consume: new Gate() };
    const reached = { connect: new Gate(), consume: new Gate() };
    const transport: Transport = {
      name: 'gated',
      async connect(context) {
        reached.connect.resolve();
        await gates.connect.promise;
        const connection = await inner.connect(context);
        return Object.assign(Object.create(connection) as typeof connection, {
          async consume(consumer: ShardConsumer): Promise<void> {
            reached.consume.resolve();
            await gates.consume.promise;
            await connection.consume(consumer);
          },
        });
      },
    };
    const { ownership, shards } = partsOf(inner.broker);
    const owned = () => shards.filter(({ index }) => ownership.ownerOf(index) !== undefined).length;
    return { transport, gates, reached, owned };
  }

  test.each(['connect', 'consume'] as const)('owns nothing afterwards: during %s', async (stage) => {
    const { transport, gates, reached, owned } = gated();
    if (stage === 'consume') gates.connect.resolve();
    const app = await createApp({ imports: [MississippiModule.forRoot({ transport })], providers: [Keeping] });
    const started = app.init();
    await reached[stage].promise;
    const closed = app.close();
    await turn();
    gates.connect.resolve();
    gates.consume.resolve();
    await Promise.all([started, closed]);
    await turn();
    expect(owned()).toBe(0);
    expect(serviceOf(app).status()).toMatchObject({ shards: 0, transport: { connected: false } });
  });

  test('does not wait for ever, and closes a connection that comes too late', async () => {
    const { transport, gates, reached, owned } = gated();
    const imports = [MississippiModule.forRoot({ transport, drainTimeout: 1 })];
    const app = await createApp({ imports, providers: [Keeping] });
    const started = app.init();
    await reached.connect.promise;
    await app.close();
    gates.connect.resolve();
    gates.consume.resolve();
    await started;
    await turn();
    expect(owned()).toBe(0);
    expect(() => serviceOf(app).status()).toThrow(/before the app had started/);
    const again = await startApp({ imports: [MississippiModule.forRoot({ transport })], providers: [Keeping] });
    expect(serviceOf(again).status().shards).toBe(128);
  });

  test('does not even connect where another module was not ready yet', async () => {
    const { transport, reached, owned } = gated();
    const [ready, waits] = [new Gate(), new Gate()];
    @Injectable()
    class Slow implements OnModuleInit {
      async onModuleInit(): Promise<void> {
        waits.resolve();
        await ready.promise;
      }
    }
    @Module({ providers: [Slow] })
    class SlowModule {}
    let connects = false;
    void reached.connect.promise.then(() => (connects = true));
    const imports = [MississippiModule.forRoot({ transport }), SlowModule];
    const app = await createApp({ imports, providers: [Keeping] });
    const started = app.init();
    await waits.promise;
    await app.close();
    ready.resolve();
    await started;
    await turn();
    expect({ connects, owned: owned() }).toEqual({ connects: false, owned: 0 });
  });
});

import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  getMississippiOptionsToken,
  getMississippiStoreToken,
  getMississippiTransportToken,
  memory,
  MemoryStore,
  memoryStore,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type Transport,
} from '@mississippi/core';
import { closeApps, Logs, next, producerOf, serviceOf } from './support/app.js';

afterEach(closeApps);

const seen: string[] = [];
beforeEach(() => void seen.splice(0));

@MessageHandler()
class First implements DataUpdaterHandler {
  handleMessage(): void {
    seen.push('first');
  }
}

@MessageHandler({ instance: 'second' })
class Second implements DataUpdaterHandler {
  handleMessage(): void {
    seen.push('second');
  }
}

const AWAY: Transport = { name: 'away', connect: () => Promise.reject(new Error('nobody is there')) };

const metadata = () => ({
  imports: [
    MississippiModule.forRoot({ transport: AWAY }),
    MississippiModule.forRootAsync({ name: 'second', useFactory: () => ({ transport: AWAY }) }),
  ],
  providers: [First, Second],
});

async function start(override: (builder: TestingModuleBuilder) => TestingModuleBuilder) {
  const module = await override(Test.createTestingModule(metadata())).setLogger(new Logs()).compile();
  const app = module.createNestApplication({ logger: new Logs() });
  await app.init();
  return app;
}

test('each instance gets the transport that is put in the place of its own', async () => {
  const transports = [memory(), memory({ totalCount: 3 })];
  const app = await start((builder) =>
    builder
      .overrideProvider(getMississippiTransportToken())
      .useValue(transports[0])
      .overrideProvider(getMississippiTransportToken('second'))
      .useValue(transports[1]),
  );
  try {
    const handled = [next(serviceOf(app), 'handled'), next(serviceOf(app, 'second'), 'handled')];
    await producerOf(app).publish(1, { shardingKey: 'k' });
    await handled[0];
    await producerOf(app, 'second').publish(1, { shardingKey: 'k' });
    await handled[1];
    expect(seen).toEqual(['first', 'second']);
    expect(serviceOf(app).status().shards).toBe(128);
    expect(serviceOf(app, 'second').status().shards).toBe(3);
  } finally {
    await app.close();
  }
});

test('so it is with all options, and with the store', async () => {
  const store = memoryStore();
  const app = await start((builder) =>
    builder
      .overrideProvider(getMississippiOptionsToken())
      .useValue({ transport: memory({ totalCount: 5 }) })
      .overrideProvider(getMississippiStoreToken())
      .useValue(store)
      .overrideProvider(getMississippiTransportToken('second'))
      .useFactory({ factory: () => undefined }),
  );
  try {
    expect(store).toBeInstanceOf(MemoryStore);
    expect(serviceOf(app).status()).toMatchObject({ shards: 5, store: { connected: true } });
    expect(serviceOf(app, 'second').status()).toMatchObject({ shards: 128 });
    expect(serviceOf(app, 'second').status().store).toBeUndefined();
  } finally {
    await app.close();
  }
});

test('what is no transport is refused', async () => {
  const refused = start((builder) => builder.overrideProvider(getMississippiTransportToken()).useValue({ a: 1 }));
  await expect(refused).rejects.toMatchObject({
    code: 'invalid_options',
    message: expect.stringMatching(/overridden\(default\)\.transport: a transport was expected/) as unknown,
  });
});

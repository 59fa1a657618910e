import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  memory,
  MemoryBroker,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MemoryBrokerOptions,
  type MemoryTransportOptions,
  type MessageHandlerOptions,
  type MississippiOptions,
  type PayloadCodec,
  type Transport,
} from '@mississippi/core';
import { AT_ONCE, closeApps, Logs, next, producerOf, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

@MessageHandler()
class Silent implements DataUpdaterHandler {
  handleMessage(): void {}
}

/** The message with which the app refuses options of forRoot. */
async function refusal(options: unknown): Promise<string> {
  const error = await startError(() => ({
    imports: [MississippiModule.forRoot(options as MississippiOptions)],
    providers: [Silent],
  }));
  expect(error).toMatchObject({ name: 'InvalidOptionsError', code: 'invalid_options' });
  return error.message;
}

/** The message with which the app refuses options of the decorator. */
async function handlerRefusal(options: unknown): Promise<string> {
  const error = await startError(() => {
    @MessageHandler(options as MessageHandlerOptions)
    class OrdersHandler extends Silent {}
    return { imports: [MississippiModule.forRoot()], providers: [OrdersHandler] };
  });
  return error.message;
}

const milliseconds = 'a number of milliseconds, at least';
const count = 'a whole number, at least 1';

describe('a wrong option stops the app and tells its path, what was expected and what was given:', () => {
  test.each<[unknown, string]>([
    [null, 'forRoot: an object was expected, not null'],
    [[], 'forRoot: an object was expected, not []'],
    ['memory', "forRoot: an object was expected, not 'memory'"],
    [{ name: '' }, "forRoot.name: a name of at least one character was expected, not ''"],
    [{ name: 5 }, 'forRoot(5).name: a name of at least one character was expected, not 5'],
    [{ global: 'yes' }, "forRoot.global: a boolean value was expected, not 'yes'"],
    [{ transport: 'rabbitmq' }, "forRoot.transport: a transport was expected, such as memory(), not 'rabbitmq'"],
    [{ transport: null }, 'forRoot.transport: a transport was expected, such as memory(), not null'],
    [{ transport: {} }, 'forRoot.transport: a transport was expected, such as memory(), not {}'],
    [{ transport: memory }, 'forRoot.transport: a transport was expected, such as memory(), not [Function: memory]'],
    [{ producerOnly: 'true' }, "forRoot.producerOnly: a boolean value was expected, not 'true'"],
    [{ inheritAppConfig: 1 }, 'forRoot.inheritAppConfig: a boolean value was expected, not 1'],
    [{ concurrency: 0 }, `forRoot.concurrency: ${count} (Infinity is allowed), was expected, not 0`],
    [{ concurrency: 1.5 }, `forRoot.concurrency: ${count} (Infinity is allowed), was expected, not 1.5`],
    [{ concurrency: '5' }, `forRoot.concurrency: ${count} (Infinity is allowed), was expected, not '5'`],
    [{ concurrency: null }, `forRoot.concurrency: ${count} (Infinity is allowed), was expected, not null`],
    [{ concurrency: 5n }, `forRoot.concurrency: ${count} (Infinity is allowed), was expected, not 5n`],
    [{ maxLiveKeys: -1 }, `forRoot.maxLiveKeys: ${count} (Infinity is allowed), was expected, not -1`],
    [
      { maxLiveKeys: 2 ** 53 },
      `forRoot.maxLiveKeys: ${count} (Infinity is allowed), was expected, not 9007199254740992`,
    ],
    [{ sideQueueLimit: Infinity }, `forRoot.sideQueueLimit: ${count}, was expected, not Infinity`],
    [{ handlerTimeout: NaN }, `forRoot.handlerTimeout: ${milliseconds} 1 (Infinity is allowed), was expected, not NaN`],
    [{ handlerTimeout: 0 }, `forRoot.handlerTimeout: ${milliseconds} 1 (Infinity is allowed), was expected, not 0`],
    [{ signalTimeout: -5 }, `forRoot.signalTimeout: ${milliseconds} 1 (Infinity is allowed), was expected, not -5`],
    [
      { publishTimeout: '1s' },
      `forRoot.publishTimeout: ${milliseconds} 1 (Infinity is allowed), was expected, not '1s'`,
    ],
    [{ idleTimeout: [1] }, `forRoot.idleTimeout: ${milliseconds} 1 (Infinity is allowed), was expected, not [ 1 ]`],
    [{ drainTimeout: -1 }, `forRoot.drainTimeout: ${milliseconds} 0 (Infinity is allowed), was expected, not -1`],
    [{ pressureAge: {} }, `forRoot.pressureAge: ${milliseconds} 1 (Infinity is allowed), was expected, not {}`],
    [{ failurePolicy: null }, 'forRoot.failurePolicy: an object was expected, not null'],
    [{ failurePolicy: [] }, 'forRoot.failurePolicy: an object was expected, not []'],
    [{ failurePolicy: 'park' }, "forRoot.failurePolicy: an object was expected, not 'park'"],
    [
      { failurePolicy: { attempts: 0 } },
      `forRoot.failurePolicy.attempts: ${count} (Infinity is allowed), was expected, not 0`,
    ],
    [
      { failurePolicy: { backoff: 100 } },
      'forRoot.failurePolicy.backoff: an object or a function was expected, not 100',
    ],
    [
      { failurePolicy: { backoff: null } },
      'forRoot.failurePolicy.backoff: an object or a function was expected, not null',
    ],
    [
      { failurePolicy: { onError: 'discard' } },
      "forRoot.failurePolicy.onError: a function was expected, not 'discard'",
    ],
    [{ logKeys: 'sha256' }, "forRoot.logKeys: 'plain' or 'hashed' was expected, not 'sha256'"],
    [
      { failurePolicy: { backoff: { initial: Infinity } } },
      `forRoot.failurePolicy.backoff.initial: ${milliseconds} 0, was expected, not Infinity`,
    ],
    [
      { failurePolicy: { backoff: { max: -1 } } },
      `forRoot.failurePolicy.backoff.max: ${milliseconds} 0, was expected, not -1`,
    ],
    [
      { failurePolicy: { onExhausted: 'drop' } },
      "forRoot.failurePolicy.onExhausted: 'deadLetter' or 'park' was expected, not 'drop'",
    ],
    [
      { payload: 'xml' },
      "forRoot.payload: 'json', 'text', 'bytes', a codec with encode and decode, a class, { class, … } or a Standard Schema was expected, not 'xml'",
    ],
    [
      { payload: { encode: () => new Uint8Array() } },
      "forRoot.payload: 'json', 'text', 'bytes', a codec with encode and decode, a class, { class, … } or a Standard Schema was expected, not { encode: [Function: encode] }",
    ],
    [
      { payload: () => 'no class' },
      "forRoot.payload: 'json', 'text', 'bytes', a codec with encode and decode, a class, { class, … } or a Standard Schema was expected, not [Function: payload]",
    ],
  ])('%j', async (options, expected) => {
    expect(await refusal(options)).toBe(`Invalid option ${expected}.`);
  });
});

describe('an unknown option stops the app and tells which there are:', () => {
  test.each<[object, string, string]>([
    [{ concurency: 5 }, 'forRoot.concurency', 'concurrency, drainTimeout, failurePolicy'],
    [{ nmae: 'orders' }, 'forRoot.nmae', 'maxLiveKeys, name, onUnknownType, payload'],
    [{ failurePolicy: { retries: 5 } }, 'forRoot.failurePolicy.retries', 'attempts, backoff, onError, onExhausted'],
    [{ failurePolicy: { backoff: { factor: 2 } } }, 'forRoot.failurePolicy.backoff.factor', 'initial, max'],
    [{ name: 'orders', prefetch: 5 }, 'forRoot(orders).prefetch', 'concurrency'],
  ])('%j', async (options, path, known) => {
    const message = await refusal(options);
    expect(message).toContain(`Invalid option ${path}: there is no such option (known: `);
    expect(message).toContain(known);
  });
});

test('all wrong options are told at once', async () => {
  expect(await refusal({ concurrency: 0, failurePolicy: { attempts: -1, backof: {} }, payload: 'json' })).toBe(
    [
      '3 invalid options:',
      `  - forRoot.concurrency: ${count} (Infinity is allowed), was expected, not 0`,
      '  - forRoot.failurePolicy.backof: there is no such option (known: attempts, backoff, onError, onExhausted)',
      `  - forRoot.failurePolicy.attempts: ${count} (Infinity is allowed), was expected, not -1`,
    ].join('\n'),
  );
});

describe('forRootAsync refuses', () => {
  const register = (options: unknown) => () => ({
    imports: [MississippiModule.forRootAsync(options as Parameters<typeof MississippiModule.forRootAsync>[0])],
    providers: [Silent],
  });

  test.each<[string, unknown, string]>([
    ['wrong options of a factory', { useFactory: () => ({ concurrency: 0 }) }, 'forRoot.concurrency: a whole number'],
    ['options that stand beside the factory', { useFactory: () => ({}), concurrency: 5 }, 'forRootAsync.concurrency: '],
    ['a missing source', {}, 'forRootAsync.useFactory: useFactory, useClass or useExisting was expected'],
    ['nothing at all', undefined, 'forRootAsync: an object was expected, not undefined'],
  ])('%s', async (_name, options, expected) => {
    expect((await startError(register(options))).message).toContain(`Invalid option ${expected}`);
  });
});

describe('a wrong option of @MessageHandler stops the app and tells the class too:', () => {
  test.each<[unknown, string]>([
    [null, 'an object was expected, not null'],
    ['orders', "an object was expected, not 'orders'"],
    [{ instance: '' }, ".instance: a name of at least one character was expected, not ''"],
    [{ instance: 5 }, '.instance: a name of at least one character was expected, not 5'],
    [
      { concurrency: 5 },
      '.concurrency: there is no such option (known: failurePolicy, inboxHorizon, inheritAppConfig, instance, keys, onUnknownType, payload, signals, state, stateTtl, stateVersion, typeFrom)',
    ],
    [
      { payload: 'xml' },
      ".payload: 'json', 'text', 'bytes', a codec with encode and decode, a class, { class, … } or a Standard Schema was expected, not 'xml'",
    ],
    [{ signals: 'text' }, ".signals: 'json' or a codec with encode and decode was expected, not 'text'"],
    [
      { failurePolicy: { backoff: { initial: -1 } } },
      `.failurePolicy.backoff.initial: ${milliseconds} 0, was expected, not -1`,
    ],
  ])('%j', async (options, expected) => {
    expect(await handlerRefusal(options)).toMatch('Invalid option @MessageHandler(OrdersHandler)');
    expect(await handlerRefusal(options)).toContain(expected);
  });
});

describe('a wrong option is told once, by the error and not by the log too, where it stands in', () => {
  @MessageHandler({ payload: 'xml' as 'json' })
  class Wrong extends Silent {}

  test.each<[string, () => DynamicModule, Type]>([
    ['forRoot', () => MississippiModule.forRoot({ concurrency: 0 }), Silent],
    ['forRootAsync', () => MississippiModule.forRootAsync({ useFactory: () => ({ concurrency: 0 }) }), Silent],
    ['@MessageHandler', () => MississippiModule.forRoot(), Wrong],
  ])('%s', async (_name, register, handler) => {
    const logs = new Logs();
    @Module({ imports: [register()], providers: [handler] })
    class AppModule {}
    const start = async (): Promise<unknown> => {
      const app = await NestFactory.create(AppModule, { logger: logs, abortOnError: false });
      return app.init();
    };
    await expect(start()).rejects.toMatchObject({ code: 'invalid_options' });
    expect(logs.errors).toEqual([]);
  });
});

describe('options of a payload class are checked:', () => {
  class Flight {}

  test.each<[unknown, string]>([
    [{ class: 'Flight' }, "forRoot.payload.class: a class was expected, not 'Flight'"],
    [{ class: Flight, whitelist: 'yes' }, "forRoot.payload.whitelist: a boolean value was expected, not 'yes'"],
    [{ class: Flight, groups: 'a' }, "forRoot.payload.groups: a list of names was expected, not 'a'"],
    [{ class: Flight, transformOptions: true }, 'forRoot.payload.transformOptions: an object was expected, not true'],
  ])('%j', async (payload, expected) => {
    expect(await refusal({ payload })).toBe(`Invalid option ${expected}.`);
  });

  test('unknown ones too', async () => {
    expect(await refusal({ payload: { class: Flight, whiteList: true } })).toContain(
      'forRoot.payload.whiteList: there is no such option (known: always, class, ',
    );
  });
});

describe('memory() refuses', () => {
  test.each<[unknown, string]>([
    [null, 'memory: an object was expected, not null'],
    [{ totalCount: 0 }, `memory.totalCount: ${count}, was expected, not 0`],
    [{ totalCount: Infinity }, `memory.totalCount: ${count}, was expected, not Infinity`],
    [{ prefetch: NaN }, `memory.prefetch: ${count}, was expected, not NaN`],
    [{ capacity: '5' }, `memory.capacity: ${count} (Infinity is allowed), was expected, not '5'`],
    [{ deadLetterLimit: -1 }, `memory.deadLetterLimit: ${count} (Infinity is allowed), was expected, not -1`],
    [{ broker: {} }, 'memory.broker: an instance of MemoryBroker was expected, not {}'],
    [
      { shards: 4 },
      'memory.shards: there is no such option (known: broker, capacity, deadLetterLimit, prefetch, totalCount)',
    ],
    [Object.create({ totalCount: -1 }), `memory.totalCount: ${count}, was expected, not -1`],
  ])('%j', (options, expected) => {
    expect(() => memory(options as MemoryTransportOptions)).toThrow(`Invalid option ${expected}.`);
  });
});

describe('an embedded broker refuses', () => {
  const right = { totalCount: 2, capacity: 10, deadLetterLimit: 10 };

  test.each<[unknown, string]>([
    [undefined, 'MemoryBroker: an object was expected, not undefined'],
    [{ ...right, totalCount: '2' }, `MemoryBroker.totalCount: ${count}, was expected, not '2'`],
    [
      { ...right, capacity: undefined },
      `MemoryBroker.capacity: ${count} (Infinity is allowed), was expected, not undefined`,
    ],
    [
      { ...right, deadLetterLimit: 0.5 },
      `MemoryBroker.deadLetterLimit: ${count} (Infinity is allowed), was expected, not 0.5`,
    ],
    [
      { ...right, shards: 4 },
      'MemoryBroker.shards: there is no such option (known: capacity, deadLetterLimit, totalCount)',
    ],
  ])('%j', (options, expected) => {
    expect(() => new MemoryBroker(options as MemoryBrokerOptions)).toThrow(`Invalid option ${expected}.`);
  });
});

describe('options may come from classes:', () => {
  class Policy {
    get attempts(): number {
      return 1;
    }
    get onExhausted(): string {
      return 'deadLetter';
    }
  }

  test('valid ones are used', async () => {
    class Settings {
      readonly failurePolicy = new Policy();
      get transport(): Transport {
        return transport;
      }
    }
    const transport = memory({ totalCount: 3 });
    @MessageHandler()
    class Failing implements DataUpdaterHandler {
      handleMessage(): never {
        throw new Error('no');
      }
    }
    const app = await startApp({
      imports: [MississippiModule.forRootAsync({ useFactory: () => new Settings() as unknown as MississippiOptions })],
      providers: [Failing],
    });
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish('x', { shardingKey: 'k' });
    expect(await dead).toMatchObject({ attempt: 1 });
    expect(transport.broker.deadLetters).toHaveLength(1);
  });

  test('wrong ones are refused as any others', async () => {
    class Wrong extends Policy {
      override get onExhausted(): string {
        return 'drop';
      }
    }
    expect(await refusal({ failurePolicy: new Wrong() })).toContain('forRoot.failurePolicy.onExhausted: ');
    expect(await refusal(Object.assign(Object.create(null), { concurrency: 0 }))).toContain('forRoot.concurrency: ');
  });
});

test('what @MessageHandler says goes before forRoot, and what it leaves out comes from there', async () => {
  @MessageHandler({ payload: 'text', failurePolicy: { attempts: 2, backoff: { max: 0 } } })
  class Failing implements DataUpdaterHandler {
    handleMessage(): never {
      throw new Error('no');
    }
  }
  const failurePolicy = { attempts: 4, onExhausted: 'park', backoff: { initial: 50, max: 60_000 } } as const;
  const app = await startApp({
    imports: [MississippiModule.forRoot({ payload: 'bytes', failurePolicy })],
    providers: [Failing],
  });
  const service = serviceOf(app);
  const events = Promise.all([next(service, 'retried'), next(service, 'exhausted'), next(service, 'parked')]);
  await producerOf(app).publish('a text', { shardingKey: 'k' });
  expect(await events).toMatchObject([{ delay: 0 }, { attempt: 2 }, { mode: 'held' }]);
});

describe('functions of the failure policy', () => {
  /** What becomes of the retries of a message whose handler always fails. */
  async function delays(handler: MessageHandlerOptions, forRoot: MississippiOptions): Promise<number[]> {
    @MessageHandler(handler)
    class Failing implements DataUpdaterHandler {
      handleMessage(): never {
        throw new Error('no');
      }
    }
    const app = await startApp({ imports: [MississippiModule.forRoot(forRoot)], providers: [Failing] });
    const found: number[] = [];
    const service = serviceOf(app);
    service.events.subscribe((event) => event.type === 'retried' && found.push(event.delay));
    const dead = next(service, 'deadLettered');
    await producerOf(app).publish('x', { shardingKey: 'k' });
    await dead;
    return found;
  }

  test.each<[string, MessageHandlerOptions['failurePolicy'], MississippiOptions['failurePolicy'], number[]]>([
    ['of the handler go first', { backoff: () => 1 }, { attempts: 2, backoff: () => 2 }, [1]],
    ['of forRoot count where the handler says nothing', { attempts: 2 }, { backoff: () => 2 }, [2]],
    [
      'of forRoot do not count where the handler has bounds',
      { attempts: 2, backoff: { max: 0 } },
      { backoff: () => 2 },
      [0],
    ],
    ['have the bounds of forRoot behind them', { attempts: 2, backoff: () => undefined }, { backoff: { max: 0 } }, [0]],
    ['may be a rule', { onError: () => 'discard' }, { onError: () => 'park', attempts: 2 }, []],
    ['may be a rule of forRoot', { attempts: 5 }, { onError: () => 'discard' }, []],
  ])('%s', async (_, handler, forRoot, expected) => {
    expect(await delays({ failurePolicy: handler! }, { failurePolicy: forRoot! })).toEqual(expected);
  });

  test('may be methods of a class', async () => {
    class Policy {
      readonly attempts = 3;
      readonly #wait = 3;
      backoff(): number {
        return this.#wait;
      }
      onError({ message }: Error): 'retry' | undefined {
        return message === 'no' && this.#wait === 3 ? 'retry' : undefined;
      }
    }
    expect(await delays({}, { failurePolicy: new Policy() as MississippiOptions['failurePolicy'] & object })).toEqual([
      3, 3,
    ]);
  });
});

test('what is undefined is left out', async () => {
  const options = { transport: undefined, concurrency: undefined, failurePolicy: undefined } as unknown;
  const app = await startApp({
    imports: [MississippiModule.forRoot(options as MississippiOptions)],
    providers: [Silent],
  });
  expect(serviceOf(app).status().shards).toBe(128);
});

test('a transport and a codec that are plain objects are used as they are, not copied', async () => {
  const inner = memory();
  const transport: Transport & { self?: unknown; calls: number } = {
    name: 'own',
    calls: 0,
    connect(context) {
      this.calls++;
      return inner.connect(context);
    },
  };
  transport.self = transport; // A copy of it would never end.
  const codec: PayloadCodec<string> & { encoded: string[] } = {
    encoded: [],
    encode(payload) {
      this.encoded.push(payload);
      return Buffer.from(payload);
    },
    decode: (body) => Buffer.from(body).toString(),
  };
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport, payload: codec, failurePolicy: AT_ONCE })],
    providers: [Silent],
  });
  await producerOf(app).publish('x', { shardingKey: 'k' });
  expect(transport.calls).toBe(1);
  expect(codec.encoded).toEqual(['x']);
});

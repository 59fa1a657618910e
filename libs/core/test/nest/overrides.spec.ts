import {
  Injectable,
  Module,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type ModuleMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { IsInt } from 'class-validator';
import { jest } from '@jest/globals';
import { MessageHandler, MississippiModule, type DataUpdaterHandler } from '@mississippi/core';
import { closeApps, Logs, serviceOf } from './support/app.js';
import { SINCE_12_2 } from './support/nest-release.js';

afterEach(closeApps);

const asked: ExecutionContext[] = [];
beforeEach(() => void asked.splice(0));

@Injectable()
class Guard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}
  canActivate(context: ExecutionContext): boolean {
    asked.push(context);
    return this.reflector.get<string>('role', context.getHandler()) === 'clerk';
  }
}

class Order {
  @IsInt()
  number!: number;
}

@MessageHandler({ instance: 'orders', payload: Order })
class OrdersHandler implements DataUpdaterHandler<unknown, Order> {
  word = 'real';

  @UseGuards(Guard)
  @SetMetadata('role', 'clerk')
  handleMessage(order: Order): void {
    handled.push([this.word, order]);
  }
  handleSignal(): string {
    return this.word;
  }
}

const handled: unknown[] = [];
beforeEach(() => void handled.splice(0));

const metadata: ModuleMetadata = {
  imports: [MississippiModule.forRoot({ name: 'orders' })],
  providers: [OrdersHandler],
};

/** Overrides something, and handles an order. */
async function handle(override: (builder: TestingModuleBuilder) => TestingModuleBuilder, of = metadata) {
  const module = await override(Test.createTestingModule(of)).setLogger(new Logs()).compile();
  const app = module.createNestApplication({ logger: new Logs() });
  await app.init();
  try {
    const service = serviceOf(app, 'orders');
    await service.handleMessage('k', { payload: { number: 7 } });
    await expect(service.handleMessage('k', { payload: { number: '7' } })).rejects.toMatchObject({
      code: 'payload_invalid',
    });
    return await service.handleSignal('k', undefined).catch((error: unknown) => error);
  } finally {
    await app.close();
  }
}

/** The options of the decorated class counted, and the guard of its method was asked about it. */
function expectDecorators(): void {
  expect(asked).toHaveLength(1);
  expect(asked[0]!.getClass()).toBe(OrdersHandler);
  expect(asked[0]!.getHandler().name).toBe('handleMessage');
}

describe('overrideProvider of a handler of a named instance with', () => {
  test('a mock that has handleMessage only', async () => {
    const handleMessage = jest.fn<(payload: unknown) => void>();
    const answer = await handle((builder) => builder.overrideProvider(OrdersHandler).useValue({ handleMessage }));
    expect(handleMessage).toHaveBeenCalledTimes(1);
    expect(handleMessage.mock.calls[0]![0]).toBeInstanceOf(Order);
    expect(answer).toMatchObject({ code: 'signal_not_handled' });
    expectDecorators();
  });

  test('a mock without a prototype', async () => {
    const mock = Object.assign(Object.create(null) as object, { handleMessage: jest.fn(), handleSignal: () => 'mock' });
    expect(await handle((builder) => builder.overrideProvider(OrdersHandler).useValue(mock))).toBe('mock');
    expect(mock.handleMessage).toHaveBeenCalledTimes(1);
    expectDecorators();
  });

  test('a factory', async () => {
    const mock = { handleMessage: jest.fn(), handleSignal: () => 'made' };
    const factory = async () => mock;
    expect(await handle((builder) => builder.overrideProvider(OrdersHandler).useFactory({ factory }))).toBe('made');
    expect(mock.handleMessage).toHaveBeenCalledTimes(1);
    expectDecorators();
  });

  test('a class that is not decorated, and one that is for another instance', async () => {
    class Plain {
      handleMessage(): void {}
      handleSignal(): string {
        return this.constructor.name;
      }
    }
    @MessageHandler()
    class Other extends Plain {}
    expect(await handle((builder) => builder.overrideProvider(OrdersHandler).useClass(Plain))).toBe('Plain');
    expectDecorators();
    expect(await handle((builder) => builder.overrideProvider(OrdersHandler).useClass(Other))).toBe('Other');
  });

  test('a subclass', async () => {
    class Sub extends OrdersHandler {
      override handleSignal(): string {
        return 'sub';
      }
    }
    expect(await handle((builder) => builder.overrideProvider(OrdersHandler).useClass(Sub))).toBe('sub');
    expect(asked).toHaveLength(1);
  });

  test('a proxy around the real handler, bound methods or not', async () => {
    const real = Object.assign(new OrdersHandler(), { word: 'behind a proxy' });
    const bound = new Proxy(real, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' && name !== 'constructor' ? (value.bind(target) as unknown) : value;
      },
    });
    for (const proxy of [new Proxy(real, {}), bound]) {
      asked.splice(0);
      const answer = await handle((builder) => builder.overrideProvider(OrdersHandler).useValue(proxy));
      expect(answer).toBe('behind a proxy');
      expectDecorators();
    }
    expect(handled).toEqual([1, 2].map(() => ['behind a proxy', { number: 7 }]));
  });

  test('the real handler, of which a method is spied on', async () => {
    const real = new OrdersHandler();
    const spy = jest.spyOn(real, 'handleMessage');
    await handle((builder) => builder.overrideProvider(OrdersHandler).useValue(real));
    expect(spy).toHaveBeenCalledTimes(1);
    expectDecorators();
  });
});

describe('it is found by what its module lists', () => {
  const mock = { handleMessage: (): void => undefined, handleSignal: () => 'mock' };

  async function expectMock(of: ModuleMetadata): Promise<void> {
    const answer = handle((builder) => builder.overrideProvider('H').useValue(mock), of);
    if (SINCE_12_2) {
      expect(await answer).toBe('mock');
      expectDecorators();
    } else {
      // Nest made no guard for it; it is refused by the name of the class, so it was found.
      await expect(answer).rejects.toThrow('OrdersHandler is decorated with @MessageHandler but its guard Guard');
    }
  }

  test('under a token of its own', async () => {
    await expectMock({ ...metadata, providers: [{ provide: 'H', useClass: OrdersHandler }] });
  });

  test('in a dynamic module', async () => {
    @Module({})
    class OrdersModule {}
    const dynamic = { module: OrdersModule, providers: [{ provide: 'H', useClass: OrdersHandler }] };
    await expectMock({ imports: [...metadata.imports!, dynamic] });
  });
});

test.each([null, 'a word', ...(SINCE_12_2 ? [undefined] : [])])(
  'what is no handler at all is refused by the name of the class: %p',
  async (value) => {
    const module = await Test.createTestingModule(metadata)
      .overrideProvider(OrdersHandler)
      .useValue(value)
      .setLogger(new Logs())
      .compile();
    await expect(module.createNestApplication({ logger: new Logs() }).init()).rejects.toMatchObject({
      code: 'invalid_handler',
      message: expect.stringContaining('OrdersHandler is decorated') as unknown,
    });
  },
);

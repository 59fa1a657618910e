import {
  Inject,
  Injectable,
  Module,
  Scope,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import {
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MessageHandlerOptions,
  type MississippiOptions,
} from '@mississippi/core';
import { closeApps, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

@MessageHandler()
class OrdersHandler implements DataUpdaterHandler {
  handleMessage(): void {}
  handleSignal(): string {
    return 'from orders';
  }
}

const root = (options?: MississippiOptions & { name?: string }): DynamicModule => MississippiModule.forRoot(options);

const refusal = (metadata: Partial<ModuleMetadata>): Promise<Error> =>
  startError({ imports: [root(), ...(metadata.imports ?? [])], providers: metadata.providers ?? [] });

/** Starts an app with these providers and asks the handler. */
async function answer(...providers: Provider[]): Promise<unknown> {
  const app = await startApp({ imports: [root()], providers });
  return serviceOf(app).handleSignal('k', undefined);
}

describe('a handler is found', () => {
  test('in a feature module', async () => {
    @Module({ providers: [OrdersHandler] })
    class OrdersModule {}
    @Module({ imports: [OrdersModule] })
    class ShopModule {}
    const app = await startApp({ imports: [root(), ShopModule] });
    expect(await serviceOf(app).handleSignal('k', undefined)).toBe('from orders');
  });

  test('under a token of its own with useClass', async () => {
    expect(await answer({ provide: 'HANDLER', useClass: OrdersHandler })).toBe('from orders');
  });

  test('with useFactory', async () => {
    expect(await answer({ provide: 'HANDLER', useFactory: () => new OrdersHandler() })).toBe('from orders');
  });

  test('with an asynchronous useFactory', async () => {
    expect(await answer({ provide: 'HANDLER', useFactory: async () => new OrdersHandler() })).toBe('from orders');
  });

  test('with useValue', async () => {
    expect(await answer({ provide: 'HANDLER', useValue: new OrdersHandler() })).toBe('from orders');
  });

  test('as something else under its class', async () => {
    const useValue: DataUpdaterHandler = { handleMessage: () => undefined, handleSignal: () => 'from a stand-in' };
    expect(await answer({ provide: OrdersHandler, useValue })).toBe('from a stand-in');
  });

  test('beside a provider that cannot be asked for its class', async () => {
    @Injectable()
    class Strict {
      constructor() {
        return new Proxy(this, {
          get(target, name): unknown {
            if (name === 'constructor') throw new TypeError('constructor is not mocked');
            return Reflect.get(target, name);
          },
        });
      }
    }
    expect(await answer(OrdersHandler, Strict)).toBe('from orders');
  });

  test.each([
    ['before', [{ provide: 'ALIAS', useExisting: OrdersHandler }, OrdersHandler]],
    ['after', [OrdersHandler, { provide: 'ALIAS', useExisting: OrdersHandler }]],
  ])('once, where an alias of it stands %s it', async (_name, providers) => {
    expect(await answer(...providers)).toBe('from orders');
  });

  test('where a test overrides it with another decorated class', async () => {
    @MessageHandler()
    class FakeOrders implements DataUpdaterHandler {
      handleMessage(): void {}
      handleSignal(): string {
        return 'from the fake';
      }
    }
    expect(await answer({ provide: OrdersHandler, useClass: FakeOrders })).toBe('from the fake');
  });

  test('with callbacks that are fields, and keeps their this', async () => {
    @MessageHandler()
    class Fields implements DataUpdaterHandler {
      private readonly word = 'field';
      readonly handleMessage = (): void => undefined;
      readonly handleSignal = (): string => this.word;
    }
    expect(await answer(Fields)).toBe('field');
  });
});

test('an app without a handler refuses to start and says how to write one', async () => {
  const error = await refusal({});
  expect(error).toMatchObject({ code: 'missing_handler' });
  expect(error.message).toContain('decorate one provider with @MessageHandler()');
  expect(error.message).toContain('list it in the providers of a module');
  expect(error.message).toContain('producerOnly: true');
});

test('a handler of a named instance that is missing is asked for by the name', async () => {
  const error = await startError({ imports: [root({ name: 'orders' })] });
  expect(error.message).toContain("@MessageHandler({ instance: 'orders' })");
});

test('two handlers of one instance are refused by their names', async () => {
  @MessageHandler()
  class Second extends OrdersHandler {}
  const error = await refusal({ providers: [OrdersHandler, Second] });
  expect(error).toMatchObject({ code: 'duplicate_handler' });
  expect(error.message).toContain('OrdersHandler');
  expect(error.message).toContain('Second');
  expect(error.message).toContain('provide one of them, in one module');
});

test('one handler class that two modules provide is refused by the modules names', async () => {
  @Module({ providers: [OrdersHandler] })
  class FirstModule {}
  @Module({ providers: [OrdersHandler] })
  class SecondModule {}
  const error = await refusal({ imports: [FirstModule, SecondModule] });
  expect(error).toMatchObject({ code: 'duplicate_handler' });
  expect(error.message).toContain('OrdersHandler in FirstModule');
  expect(error.message).toContain('OrdersHandler in SecondModule');
});

test('a handler of an instance that is not there is refused with the instances that are', async () => {
  @MessageHandler({ instance: 'oders' })
  class Misspelt extends OrdersHandler {}
  const error = await startError({ imports: [root({ name: 'orders' }), root()], providers: [OrdersHandler, Misspelt] });
  expect(error).toMatchObject({ code: 'unknown_instance' });
  expect(error.message).toContain("Misspelt handles messages of the instance 'oders', which does not exist");
  expect(error.message).toContain('orders');
  expect(error.message).toContain('default');
});

describe('a handler that is no singleton is refused and told to be one:', () => {
  @Injectable({ scope: Scope.REQUEST })
  class PerRequest {}

  @Injectable()
  class Between {
    constructor(readonly dependency: PerRequest) {}
  }

  @MessageHandler()
  class ByDependency extends OrdersHandler {
    constructor(readonly dependency: Between) {
      super();
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  @MessageHandler()
  class LosesItsScope extends OrdersHandler {}

  @MessageHandler()
  @Injectable({ scope: Scope.REQUEST })
  class OwnScope extends OrdersHandler {}

  test.each<[string, Provider[], string]>([
    ['by the scope of a dependency', [ByDependency, Between, PerRequest], 'ByDependency'],
    ['by a scope given above the decorator', [LosesItsScope], 'LosesItsScope'],
    ['by a scope given below the decorator', [OwnScope], 'OwnScope'],
    [
      'by a useClass of request scope',
      [{ provide: 'H', useClass: OrdersHandler, scope: Scope.REQUEST }],
      'OrdersHandler',
    ],
    ['by a transient useClass', [{ provide: 'H', useClass: OrdersHandler, scope: Scope.TRANSIENT }], 'OrdersHandler'],
  ])('%s', async (_name, providers, className) => {
    const error = await refusal({ providers });
    expect(error).toMatchObject({ code: 'handler_scope' });
    expect(error.message).toContain(`${className} is a request-scoped or transient provider`);
    expect(error.message).toContain('remove its scope');
  });

  test('by the request that it injects', async () => {
    @MessageHandler()
    class WithRequest extends OrdersHandler {
      @Inject('REQUEST') readonly request: unknown;
    }
    expect(await refusal({ providers: [WithRequest] })).toMatchObject({ code: 'handler_scope' });
  });
});

describe('a decorated class is refused', () => {
  function decorated(properties: Record<string, unknown>, options?: MessageHandlerOptions): Provider {
    @MessageHandler(options)
    class Broken {}
    Object.assign(Broken.prototype, properties);
    return Broken;
  }

  test('without handleMessage', async () => {
    const error = await refusal({ providers: [decorated({})] });
    expect(error).toMatchObject({ code: 'invalid_handler' });
    expect(error.message).toContain(
      'Broken is decorated with @MessageHandler but has no method for messages: add handleMessage',
    );
  });

  test.each(['handleMessage', 'init', 'handleSignal', 'handleContinue', 'terminate'])(
    'where %s is no method',
    async (name) => {
      const error = await refusal({ providers: [decorated({ handleMessage: () => undefined, [name]: 'text' })] });
      expect(error.message).toContain(`but its ${name} is no method: make it one`);
    },
  );
});

test('errors name the class of a handler that a factory made', async () => {
  @MessageHandler({ instance: 'nowhere' })
  class Made extends OrdersHandler {}
  const error = await refusal({ providers: [OrdersHandler, { provide: 'H', useFactory: () => new Made() }] });
  expect(error.message).toMatch(/^Made handles/);
});

test('init may be left out: the state is undefined until a message sets it', async () => {
  const states: unknown[] = [];
  @MessageHandler()
  class Stateless implements DataUpdaterHandler {
    handleMessage(_payload: unknown, state: unknown): void {
      states.push(state);
    }
  }
  const app = await startApp({ imports: [root()], providers: [Stateless] });
  await serviceOf(app).handleMessage('k', { payload: 1 });
  expect(states).toEqual([undefined]);
});

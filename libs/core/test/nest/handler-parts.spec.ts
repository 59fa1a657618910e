import { Global, Injectable, Module, Scope, UseGuards, type CanActivate, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  ack,
  MessageHandler,
  MessageHandlerPart,
  MississippiModule,
  OnMessage,
  OnSignal,
  type DataUpdaterLifecycle,
} from '@mississippi/core';
import { AT_ONCE, closeApps, Logs, next, producerOf, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

const seen: unknown[] = [];
beforeEach(() => void seen.splice(0));

@MessageHandler({ instance: 'orders' })
class Orders implements DataUpdaterLifecycle<string[]> {
  init(): string[] {
    return [];
  }
  @OnMessage('created') created(_event: unknown, state: string[]) {
    return ack([...state, 'created']);
  }
}

@Injectable()
class Ledger {
  readonly name: string = 'the ledger';
}

@Injectable()
class Guard implements CanActivate {
  constructor(private readonly ledger: Ledger) {}
  canActivate(): boolean {
    seen.push(['asked', this.ledger.name]);
    return true;
  }
}

@MessageHandlerPart({ instance: 'orders' })
class Payments {
  constructor(private readonly ledger: Ledger) {}

  @UseGuards(Guard)
  @OnMessage('paid')
  paid(_event: unknown, state: string[]) {
    seen.push(this.ledger.name);
    return ack([...state, 'paid']);
  }
  @OnSignal('state') state(_signal: unknown, state: string[]): string[] {
    return state;
  }
}

@Module({ providers: [Payments, Ledger] })
class PaymentsModule {}

@Module({ providers: [Orders] })
class OrdersModule {}

/** Decorates what TypeScript would not let be decorated. */
function decorate(decorator: unknown, target: object, method: string | symbol): void {
  (decorator as MethodDecorator)(target, method, {});
}

const root = () => MississippiModule.forRoot({ name: 'orders', failurePolicy: AT_ONCE });

test('parts of other modules handle their types with the one state of the key, and what their module provides', async () => {
  const app = await startApp({ imports: [PaymentsModule, root(), OrdersModule] });
  for (const type of ['created', 'paid', 'created']) {
    const handled = next(serviceOf(app, 'orders'), 'handled');
    await producerOf(app, 'orders').publish(1, { shardingKey: 'k', type });
    await handled;
  }
  expect(seen).toEqual([['asked', 'the ledger'], 'the ledger']);
  const answer = serviceOf(app, 'orders').handleSignal('k', undefined, { name: 'state' });
  expect(await answer).toEqual(['created', 'paid', 'created']);
});

test('a part that a test puts a mock in the place of keeps its types and guards', async () => {
  const module = await Test.createTestingModule({ imports: [root(), OrdersModule, PaymentsModule] })
    .overrideProvider(Payments)
    .useValue({
      paid: (_event: unknown, state: string[]) => ack([...state, 'mocked']),
      state: (_: unknown, s: string[]) => s,
    })
    .setLogger(new Logs())
    .compile();
  const app = module.createNestApplication({ logger: new Logs() });
  await app.init();
  try {
    await serviceOf(app, 'orders').handleMessage('k', { payload: 1, type: 'paid' });
    expect(seen).toEqual([['asked', 'the ledger']]);
    expect(await serviceOf(app, 'orders').handleSignal('k', undefined, { name: 'state' })).toEqual(['mocked']);
  } finally {
    await app.close();
  }
});

test('a part may be replaced by a mock that has whatever method it is asked for', async () => {
  const anything = new Proxy(
    {},
    { get: (_, name) => (name === 'then' || typeof name === 'symbol' ? undefined : () => void seen.push(name)) },
  );
  const module = await Test.createTestingModule({ imports: [root(), OrdersModule, PaymentsModule] })
    .overrideProvider(Payments)
    .useValue(anything)
    .setLogger(new Logs())
    .compile();
  const app = module.createNestApplication({ logger: new Logs() });
  await app.init();
  seen.splice(0);
  await serviceOf(app, 'orders').handleMessage('k', { payload: 1, type: 'paid' });
  expect(seen).toEqual([['asked', 'the ledger'], 'paid']);
  await app.close();
});

test('a handler of which a mock has some methods only claims those', async () => {
  const module = await Test.createTestingModule({ imports: [root(), OrdersModule] })
    .overrideProvider(Orders)
    .useValue({ handleMessage: (payload: unknown) => void seen.push(payload) })
    .setLogger(new Logs())
    .compile();
  const app = module.createNestApplication({ logger: new Logs() });
  await app.init();
  await serviceOf(app, 'orders').handleMessage('k', { payload: 1, type: 'created' });
  expect(seen).toEqual([1]);
  await app.close();
});

describe('an app does not start where', () => {
  @MessageHandlerPart({ instance: 'orders' })
  class SecondOwner {
    init(): void {}
    @OnMessage('paid') paid(): void {}
  }
  @MessageHandlerPart({ instance: 'orders' })
  class SameType {
    @OnMessage('created') alsoCreated(): void {}
  }
  @MessageHandlerPart({ instance: 'orders' })
  class TwoSignals {
    @OnSignal('s') one(): void {}
    @OnSignal('s') two(): void {}
  }
  @MessageHandlerPart({ instance: 'orders' })
  class TwoFallbacks {
    @OnMessage() one(): void {}
    @OnMessage() two(): void {}
  }
  @MessageHandlerPart({ instance: 'order' })
  class OtherInstance {}
  class Forgotten {
    @OnMessage('paid') paid(): void {}
  }
  @MessageHandler({ instance: 'orders' })
  class SecondHandler {
    init(): void {}
    @OnMessage('paid') paid(): void {}
  }
  @Injectable({ scope: Scope.REQUEST })
  class PerRequest {}
  @MessageHandlerPart({ instance: 'orders' })
  class Scoped {
    constructor(readonly request: PerRequest) {}
  }
  @MessageHandlerPart({ instance: 'orders' })
  class NoName {
    @OnMessage('') paid(): void {}
  }
  @MessageHandlerPart({ instance: 'orders' })
  class NoOptions {
    @OnMessage('paid', { failurePolicy: { attempts: 0 }, payload: 'bytes' as never }) paid(): void {}
  }

  @MessageHandlerPart({ instance: 'orders' })
  class Empty {
    paid(): void {}
  }
  @MessageHandlerPart({ instance: 'orders' })
  class NoMethod {
    readonly paid: unknown = 5;
  }
  decorate(OnMessage('paid'), NoMethod.prototype, 'paid');

  test.each<[string, Type, string, string | RegExp]>([
    [
      'a part has no decorated method',
      Empty,
      'invalid_handler',
      'Empty is decorated with @MessageHandlerPart but has no method with @OnMessage or @OnSignal, so that it would handle nothing: decorate its methods, or take it out of the providers.',
    ],
    ['what is decorated is no method', NoMethod, 'invalid_handler', 'its paid is no method: make it one'],
    [
      'a part is provided twice',
      Payments,
      'invalid_handler',
      /Payments is a provider of \w+ and of \w+, and each would be a part of its own for the same messages: list it in the providers of one module\./,
    ],
    [
      'a part has what the handler alone has',
      SecondOwner,
      'invalid_handler',
      'SecondOwner is a part of Orders but has a method init, which belongs to Orders alone, as the keys and their state do: move it there, or rename it.',
    ],
    [
      'two methods are for one type',
      SameType,
      'duplicate_method',
      "Orders.created and SameType.alsoCreated both are for @OnMessage('created') of the instance 'orders': keep one of them, or change what the other one is for.",
    ],
    [
      'two methods are for one signal',
      TwoSignals,
      'duplicate_method',
      /TwoSignals\.(one|two) and TwoSignals\.(one|two) both are for @OnSignal\('s'\)/,
    ],
    [
      'two methods are for all other types',
      TwoFallbacks,
      'duplicate_method',
      'that is for whatever no other method claims',
    ],
    [
      'a part names an instance that is not there',
      OtherInstance,
      'unknown_instance',
      "OtherInstance handles messages of the instance 'order'",
    ],
    [
      'the decorator of a class is forgotten',
      Forgotten,
      'invalid_handler',
      'Forgotten in RootTestModule has the method paid with @OnMessage or @OnSignal, but no decorator of its own, so that nobody would call it: decorate the class with @MessageHandler(…), or with @MessageHandlerPart(…) where another class has init.',
    ],
    [
      'two classes have init',
      SecondHandler,
      'duplicate_handler',
      "make the others parts of it, without init, by @MessageHandlerPart({ instance: 'orders' })",
    ],
    ['a part is no singleton', Scoped, 'handler_scope', 'Scoped is a request-scoped or transient provider'],
    [
      'a type is empty',
      NoName,
      'invalid_handler',
      "the decorator of NoName.paid names '': give @OnMessage a text of 1 to 255 bytes",
    ],
    [
      'options of a method are wrong',
      NoOptions,
      'invalid_options',
      "@OnMessage('paid') of NoOptions.paid.failurePolicy.attempts",
    ],
  ])('%s', async (_name, provider, code, text) => {
    const imports = provider === Payments ? [root(), OrdersModule, PaymentsModule] : [root(), OrdersModule];
    const error = await startError({ imports, providers: [provider, PerRequest, Ledger] });
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(
      typeof text === 'string' ? new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')) : text,
    );
  });

  test('handleMessage and @OnMessage() are both there', async () => {
    @MessageHandler()
    class Both {
      handleMessage(): void {}
      @OnMessage() other(): void {}
    }
    const error = await startError({ imports: [MississippiModule.forRoot()], providers: [Both] });
    expect(error.message).toContain('Both.other and Both.handleMessage both are for @OnMessage()');
  });

  test('a callback of the handler is decorated for something else', async () => {
    @MessageHandler()
    class Misnamed {
      @OnMessage('begin') init(): void {}
    }
    const error = await startError({ imports: [MississippiModule.forRoot()], providers: [Misnamed] });
    expect(error.message).toContain(
      'Misnamed.init has @OnMessage, though init is called for something else: give the method another name.',
    );
  });

  test.each([
    ['static', class Lost {}, 'paid', 'Lost.paid is decorated with @OnMessage or @OnSignal but is static'],
    ['named by a symbol', class Lost {}.prototype, Symbol('paid'), 'Lost.Symbol(paid) is decorated'],
  ])('a decorated method is %s: its class cannot even be made', (_name, target, method, text) => {
    expect(() => decorate(OnMessage('paid'), target, method)).toThrow(text);
    expect(() => decorate(OnSignal('paid'), target, method)).toThrow(text);
  });

  test('nobody handles messages', async () => {
    @MessageHandler()
    class Silent {
      @OnSignal('s') answer(): void {}
    }
    const error = await startError({ imports: [MississippiModule.forRoot()], providers: [Silent] });
    expect(error.message).toContain(
      'has no method for messages: add handleMessage (DataUpdaterHandler has its form) or methods with @OnMessage(type)',
    );
  });

  test('an instance that only publishes has a part', async () => {
    const imports = [MississippiModule.forRoot({ name: 'orders', producerOnly: true })];
    expect(await startError({ imports, providers: [SameType] })).toMatchObject({ code: 'unexpected_handler' });
  });
});

describe('a missing handler', () => {
  class Plain {
    handleMessage(): void {}
  }
  class Typed {
    @OnMessage('paid') paid(): void {}
  }
  @Global()
  @Module({ providers: [Plain, Typed] })
  class FeatureModule {}

  test('is told with the providers that look like one', async () => {
    const error = await startError({ imports: [MississippiModule.forRoot({ name: 'orders' }), FeatureModule] });
    expect(error).toMatchObject({ code: 'missing_handler' });
    expect(error.message).toBe(
      "No message handler was found for the instance 'orders', but Plain in FeatureModule, Typed in FeatureModule look like one: decorate it with @MessageHandler({ instance: 'orders' }).",
    );
  });

  test('is told with the parts that wait for it', async () => {
    @MessageHandlerPart({ instance: 'orders' })
    class Invoices {
      @OnMessage('order.invoiced') invoiced(): void {}
    }
    const error = await startError({ imports: [MississippiModule.forRoot({ name: 'orders' })], providers: [Invoices] });
    expect(error.message).toMatch(
      /^No message handler was found for the instance 'orders', of which Invoices in \w+ can only be a part: decorate one provider/,
    );
  });
});

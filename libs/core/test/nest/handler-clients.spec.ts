import type { Type } from '@nestjs/common';
import {
  ack,
  memory,
  MessageHandler,
  MessageHandlerPart,
  MississippiModule,
  OnMessage,
  OnSignal,
  reply,
  type CallbackContext,
  type DataUpdaterHandler,
  type DataUpdaterService,
  type RegistrationOptions,
} from '@mississippi/core';
import { closeApps, next, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

interface Paid {
  cents: number;
}

@MessageHandler()
class Orders {
  declare readonly messageTypes: { paid: Paid; noted: string };
  init(): number {
    return 0;
  }
  @OnMessage('paid') paid({ cents }: Paid, state: number) {
    return ack(state + cents);
  }
  @OnMessage('noted') noted(_note: string): void {}
  @OnSignal('the-total') total(_signal: undefined, state: number): number {
    return state;
  }
  @OnSignal('add') add(cents: number, state: number) {
    return reply(state + cents, state + cents);
  }
  @OnSignal() other(signal: unknown, _state: number, { signalName }: CallbackContext): unknown {
    return { signal, signalName };
  }
  undecorated(): void {}
}

@MessageHandlerPart()
class Refunds {
  @OnSignal('refund') refund(cents: number, state: number) {
    return reply(state - cents, state - cents);
  }
}

async function start(handler: Type, options: RegistrationOptions = {}): Promise<DataUpdaterService> {
  const imports = [MississippiModule.forRoot({ transport: memory(), ...options })];
  return serviceOf(await startApp({ imports, providers: [handler, Refunds] }));
}

test("a client's methods are signals to the handler's, and publish sends what its types say", async () => {
  const service = await start(Orders);
  const order = service.for(Orders).key('k');
  const handled = next(service, 'handled');
  await order.publish('paid', { cents: 7 });
  await handled;
  expect(await order.total()).toBe(7);
  expect(await order.add(3)).toBe(10);
  expect(await order.total(undefined, { timeout: 1_000 })).toBe(10);
  expect(await order.other('x')).toEqual({ signal: 'x' });
  expect(await service.for(Refunds).key('k').refund(4)).toBe(6);
  expect(await service.for(Orders).key('other').total()).toBe(0);
});

test('a client names the type in the header that the instance reads it from', async () => {
  const service = await start(Orders, { typeFrom: { header: 'event' } });
  const order = service.for(Orders).key('k');
  const handled = next(service, 'handled');
  await order.publish('paid', { cents: 7 }, { headers: { tenant: 'a' } });
  await handled;
  expect(await order.total()).toBe(7);
});

test('a client in an app that only publishes knows by the class where the type is read', async () => {
  @MessageHandler({ typeFrom: { header: 'event' } })
  class ByHeader extends Orders {}
  const transport = memory();
  const service = await start(ByHeader, { transport });
  const producing = MississippiModule.forRoot({
    producerOnly: true,
    transport: memory({ broker: transport.broker }),
  });
  const producer = serviceOf(await startApp({ imports: [producing] }));
  const handled = next(service, 'handled');
  await producer.for(ByHeader).key('k').publish('paid', { cents: 7 });
  await handled;
  expect(await service.for(ByHeader).key('k').total()).toBe(7);
});

describe('a client of an instance that reads the type from the payload', () => {
  class Note implements Paid {
    constructor(readonly cents: number) {}
    get twice(): number {
      return this.cents * 2;
    }
  }

  test('names it there, in a copy', async () => {
    const service = await start(Orders, { typeFrom: { payload: 'kind' } });
    const order = service.for(Orders).key('k');
    const note = new Note(7);
    for (const payload of [{ cents: 7 }, Object.freeze({ cents: 7, kind: 'paid' }), note]) {
      const handled = next(service, 'handled');
      await order.publish('paid', payload);
      await handled;
    }
    expect(await order.total()).toBe(21);
    expect(note).toEqual(new Note(7));
  });

  test('refuses a payload that cannot have it, and one that says another', async () => {
    const service = await start(Orders, { typeFrom: { payload: 'kind' } });
    const order = service.for(Orders).key('k');
    await expect(order.publish('noted', 'a text')).rejects.toMatchObject({
      code: 'invalid_message',
      message: expect.stringContaining("must be an object, with kind: 'noted', not") as unknown,
    });
    await expect(order.publish('paid', { cents: 1, kind: 'noted' } as Paid)).rejects.toMatchObject({
      code: 'invalid_message',
      message: expect.stringContaining("leave it out, or say 'paid' there") as unknown,
    });
  });
});

test('what Nest and JavaScript call by themselves is no signal', async () => {
  @MessageHandler()
  class Hooked extends Orders {
    onModuleInit(): void {}
    toJSON(): string {
      return 'a handler';
    }
    override toString(): string {
      return 'a handler';
    }
  }
  const service = await start(Hooked);
  const client = service.for(Hooked).key('k') as unknown as Record<string, unknown>;
  expect(JSON.stringify(client)).toBe('{}');
  expect(String(client)).toBe('[object Object]');
  expect(client['onModuleInit']).toBeUndefined();
});

test('a method that is for no signal says so', async () => {
  const service = await start(Orders);
  for (const call of ['noted', 'undecorated'] as const) {
    await expect(service.for(Orders).key('k')[call as 'undecorated']()).rejects.toMatchObject({
      code: 'signal_not_handled',
      message: `Orders.${call} is for no signal: decorate it with @OnSignal().`,
    });
  }
});

test('a class of another instance, and one that is no handler, are refused', async () => {
  const service = await start(Orders);
  @MessageHandler({ instance: 'others' })
  class Others {
    handleMessage(): void {}
  }
  class NoHandler {}
  expect(() => service.for(NoHandler)).toThrow(/NoHandler has no decorator of its own/);
  expect(() => service.for(Others).key('k')).toThrow(
    "Others is for the instance 'others', but the DataUpdaterService is that of 'default': inject the other one with @InjectDataUpdaterService('others').",
  );
});

describe('a signal with a name', () => {
  @MessageHandler()
  class Old implements DataUpdaterHandler {
    handleMessage(): void {}
    handleSignal(signal: unknown, _state: unknown, { signalName }: CallbackContext): unknown {
      return ['handleSignal', signal, signalName ?? 'none'];
    }
  }
  @MessageHandler()
  class Mixed extends Old {
    @OnSignal('status') status(signal: unknown): unknown {
      return ['status', signal];
    }
  }
  @MessageHandler()
  class NamesOnly {
    handleMessage(): void {}
    @OnSignal('status') status(): string {
      return 'status';
    }
  }

  test('goes to the method of that name, and without one to handleSignal, which can read it', async () => {
    const service = await start(Mixed);
    expect(await service.handleSignal('k', 1, { name: 'status' })).toEqual(['status', 1]);
    expect(await service.handleSignal('k', 1, { name: 'stats' })).toEqual(['handleSignal', 1, 'stats']);
    expect(await service.handleSignal('k', 1)).toEqual(['handleSignal', 1, 'none']);
  });

  test('is refused where nobody answers it, with the names that there are', async () => {
    const service = await start(NamesOnly);
    await expect(service.handleSignal('k', 1, { name: 'stats' })).rejects.toMatchObject({
      code: 'signal_not_handled',
      message:
        "NamesOnly has no method for signals of the name 'stats' (it has: status, refund): add one with @OnSignal('stats'), or correct the name.",
    });
    await expect(service.handleSignal('k', 1)).rejects.toThrow(/for signals without a name/);
    expect(await service.handleSignal('k', undefined, { name: 'status' })).toBe('status');
  });

  test.each([[''], ['x'.repeat(256)], [7], ['\ud800']])('must be a short text: %p', async (name) => {
    const service = await start(Old);
    await expect(service.handleSignal('k', 1, { name: name as string })).rejects.toMatchObject({
      code: 'invalid_message',
    });
  });
});

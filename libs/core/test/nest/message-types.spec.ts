import {
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type NestInterceptor,
} from '@nestjs/common';
import { IsInt } from 'class-validator';
import { tap } from 'rxjs';
import {
  ack,
  memory,
  memoryStore,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  OnMessage,
  UnknownMessageTypeError,
  type DataUpdaterHandler,
  type DataUpdaterLifecycle,
  type MemoryTransport,
  type MessageContext,
  type RegistrationOptions,
} from '@mississippi/core';
import type { INestApplication, Type } from '@nestjs/common';
import { AT_ONCE, closeApps, createApp, Logs, next, producerOf, serviceOf, startApp, turn } from './support/app.js';

afterEach(closeApps);

class Paid {
  @IsInt()
  cents!: number;
}

/** What the methods saw, in order. */
const seen: unknown[] = [];
beforeEach(() => void seen.splice(0));

@MessageHandler()
class Orders implements DataUpdaterLifecycle<string[]> {
  init(): string[] {
    return [];
  }

  @OnMessage('created')
  created(payload: unknown, state: string[], { key, type }: MessageContext) {
    seen.push(['created', payload, [...state], key, type]);
    return ack([...state, 'created']);
  }

  @OnMessage('paid', { payload: Paid })
  @OnMessage('refunded', { payload: Paid })
  paid(payload: Paid, state: string[], { type }: MessageContext) {
    seen.push([type, payload, [...state]]);
    return ack([...state, 'paid']);
  }
}

@MessageHandler()
class WithFallback extends Orders implements DataUpdaterHandler<string[]> {
  handleMessage(payload: unknown, state: string[], { type }: MessageContext): void {
    seen.push(['other', payload, [...state], type]);
  }
}

@MessageHandler()
class WithOther extends Orders {
  @OnMessage()
  other(payload: unknown, state: string[], { type }: MessageContext): void {
    seen.push(['other', payload, [...state], type]);
  }
}

interface Started {
  readonly app: INestApplication;
  readonly transport: MemoryTransport;
  /** Publishes a message of one key and waits until it is handled. */
  readonly send: (payload: unknown, type?: string, headers?: Record<string, string>) => Promise<void>;
}

async function start(handler: Type, options: RegistrationOptions = {}, logs?: Logs): Promise<Started> {
  const transport = memory();
  const imports = [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE, ...options })];
  const app = await startApp({ imports, providers: [handler] }, undefined, logs);
  return {
    app,
    transport,
    send: async (payload, type, headers) => {
      const handled = next(serviceOf(app), 'handled');
      await producerOf(app).publish(payload, { shardingKey: 'k', type, ...(headers && { headers }) });
      await handled;
    },
  };
}

describe.each([WithFallback, WithOther])('%p', (handler) => {
  test('each type goes to its own method, with the one state of the key, and all others to the fallback', async () => {
    const { send } = await start(handler);
    await send('a', 'created');
    await send({ cents: 5 }, 'paid');
    await send('b', 'lost');
    await send('c');
    await send({ cents: 6 }, 'refunded');
    expect(seen).toEqual([
      ['created', 'a', [], 'k', 'created'],
      ['paid', { cents: 5 }, ['created']],
      ['other', 'b', ['created', 'paid'], 'lost'],
      ['other', 'c', ['created', 'paid'], undefined],
      ['refunded', { cents: 6 }, ['created', 'paid']],
    ]);
    expect((seen[1] as unknown[])[1]).toBeInstanceOf(Paid);
  });
});

test('what does not fit the class of its type is dead-lettered, while another type takes it', async () => {
  const { app, transport, send } = await start(WithFallback);
  const dead = next(serviceOf(app), 'deadLettered');
  await producerOf(app).publish({ cents: 'five' }, { shardingKey: 'k', type: 'paid' });
  expect(await dead).toMatchObject({ reason: 'payload_invalid' });
  expect(transport.broker.takeDeadLetters()[0]).toMatchObject({ properties: { type: 'paid' } });
  await send({ cents: 'five' }, 'created');
  expect(seen).toEqual([['created', { cents: 'five' }, [], 'k', 'created']]);
});

test('a direct message goes by its type too', async () => {
  const { app } = await start(WithFallback);
  const service = serviceOf(app);
  await service.handleMessage('k', { payload: { cents: 1 }, type: 'paid' });
  await service.handleMessage('k', { payload: 'x' });
  expect(seen).toEqual([
    ['paid', { cents: 1 }, []],
    ['other', 'x', ['paid'], undefined],
  ]);
  await expect(service.handleMessage('k', { payload: {}, type: 'paid' })).rejects.toMatchObject({
    code: 'payload_invalid',
  });
});

describe('the type is found', () => {
  test('in a header', async () => {
    const { app, send } = await start(WithFallback, { typeFrom: { header: 'event' } });
    await send('a', 'paid', { event: 'created' });
    await send('b', 'created');
    await serviceOf(app).handleMessage('k', { payload: 'c', headers: { event: 'created' } });
    expect(seen.map((entry) => (entry as unknown[])[0])).toEqual(['created', 'other', 'created']);
  });

  test('in the payload', async () => {
    const { app, send } = await start(WithFallback, { typeFrom: { payload: 'kind' } });
    await send({ kind: 'paid', cents: 1 });
    await send({ kind: 7 }, 'paid');
    await send(['kind']);
    await serviceOf(app).handleMessage('k', { payload: { kind: 'created' } });
    expect(seen.map((entry) => (entry as unknown[])[0])).toEqual([undefined, 'other', 'other', 'created']);
    expect((seen[0] as unknown[])[1]).toBeInstanceOf(Paid);
  });

  test('but never among what every object has', async () => {
    const { send } = await start(WithFallback, { typeFrom: { payload: 'constructor' } });
    await send({});
    expect(seen).toEqual([['other', {}, [], undefined]]);
  });
});

describe('what nobody claims', () => {
  test('is parked with what follows it, and goes on in order with a process that knows the type', async () => {
    const { broker } = memory();
    const logs = new Logs();
    const old = await start(Orders, { transport: memory({ broker }) }, logs);
    await old.send('1', 'created');
    const parked = next(serviceOf(old.app), 'parked');
    const publish = (payload: unknown, type: string) =>
      producerOf(old.app).publish(payload, { shardingKey: 'k', type });
    await publish('2', 'lost');
    expect(await parked).toMatchObject({ mode: 'held' });
    await publish('3', 'created');
    await old.app.close();
    expect(broker.deadLetters).toHaveLength(0);
    expect(logs.errors.join()).toContain("No method of Orders handles messages of the type 'lost' (it has: ");

    const imports = [MississippiModule.forRoot({ transport: memory({ broker }) })];
    const fresh = await createApp({ imports, providers: [WithFallback] });
    const unparked = next(serviceOf(fresh), 'unparked');
    await fresh.init();
    await unparked;
    expect(seen.slice(1)).toEqual([
      ['other', '2', [], 'lost'],
      ['created', '3', [], 'k', 'created'],
    ]);
  });

  test('stays parked with one that does not know it either, until somebody drops it', async () => {
    const { broker } = memory();
    const old = await start(Orders, { transport: memory({ broker }) });
    const parked = next(serviceOf(old.app), 'parked');
    await producerOf(old.app).publish('1', { shardingKey: 'k', type: 'lost' });
    await parked;
    await old.app.close();
    const again = await start(Orders, { transport: memory({ broker }) });
    const service = serviceOf(again.app);
    await producerOf(again.app).publish('2', { shardingKey: 'k', type: 'created' });
    while (service.status().parkedMessages < 2 || [...service.liveKeys()][0]?.state !== 'parked') {
      await turn();
    }
    expect(seen).toEqual([]);
    await service.drop('k');
    const handled = next(service, 'handled');
    await service.resume('k');
    await handled;
    expect(seen).toEqual([['created', '2', [], 'k', 'created']]);
    expect(broker.takeDeadLetters()[0]!.headers[NOTE_HEADERS.reason]).toBe('dropped');
  });

  test('is dead-lettered where that is said', async () => {
    const { app, transport, send } = await start(Orders, { onUnknownType: 'deadLetter' });
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish('x', { shardingKey: 'k', type: 'lost' });
    expect(await dead).toMatchObject({ reason: 'unknown_type' });
    const letter = transport.broker.takeDeadLetters()[0]!;
    expect(letter.headers[NOTE_HEADERS.error]).toContain("add one with @OnMessage('lost')");
    await send('y', 'created');
    expect(seen).toHaveLength(1);
  });

  test('is acked where that is said', async () => {
    const { app, transport, send } = await start(Orders, { onUnknownType: 'ack' });
    await send('x', 'lost');
    await send('y');
    await expect(serviceOf(app).handleMessage('k', { payload: 'z' })).resolves.toMatchObject({ kind: 'ack' });
    expect(seen).toEqual([]);
    expect(transport.broker.length + transport.broker.deadLetters.length).toBe(0);
  });

  test.each(['park', 'deadLetter'] as const)('rejects the caller of a direct message: %s', async (onUnknownType) => {
    const { app } = await start(Orders, { onUnknownType });
    const service = serviceOf(app);
    const error: unknown = await service.handleMessage('k', { payload: 'x', type: 'lost' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnknownMessageTypeError);
    expect(error).toMatchObject({ code: 'unknown_type', type: 'lost' });
    expect(service.status().parkedKeys).toBe(0);
  });

  test.each(['park', 'deadLetter', 'ack'] as const)('is treated alike with a store: %s', async (onUnknownType) => {
    const { app, transport, send } = await start(Orders, { onUnknownType, store: memoryStore() });
    const service = serviceOf(app);
    await send('1', 'created');
    const event = { park: 'parked', deadLetter: 'deadLettered', ack: 'handled' } as const;
    const ended = next(service, event[onUnknownType]);
    await producerOf(app).publish('2', { shardingKey: 'k', type: 'lost' });
    await ended;
    // The event tells that the key is parked; its message is on the way then.
    const dropped = () =>
      service.drop('k').then(
        () => true,
        () => false,
      );
    while (onUnknownType === 'park' && !(await dropped())) await turn();
    const handled = next(service, 'handled');
    await producerOf(app).publish('3', { shardingKey: 'k', type: 'created' });
    if (onUnknownType === 'park') await service.resume('k');
    await handled;
    expect(seen).toEqual([
      ['created', '1', [], 'k', 'created'],
      ['created', '3', ['created'], 'k', 'created'],
    ]);
    const reasons = transport.broker.takeDeadLetters().map(({ headers }) => headers[NOTE_HEADERS.reason]);
    expect(reasons).toEqual({ park: ['dropped'], deadLetter: ['unknown_type'], ack: [] }[onUnknownType]);
  });

  test('is not decoded', async () => {
    const decoded: string[] = [];
    const codec = {
      encode: (text: string) => Buffer.from(text),
      decode: (body: Uint8Array) => {
        decoded.push(Buffer.from(body).toString());
        return decoded.at(-1)!;
      },
    };
    const { send } = await start(Orders, { onUnknownType: 'ack', payload: codec });
    await send('no', 'lost');
    await send('yes', 'created');
    expect(decoded).toEqual(['yes']);
  });
});

test("a method's failure policy goes before that of the class, option by option", async () => {
  @MessageHandler({ failurePolicy: { attempts: 2, onExhausted: 'deadLetter' } })
  class Failing {
    @OnMessage('patient', { failurePolicy: { attempts: 4 } })
    patient(): void {
      seen.push('patient');
      throw new Error('never');
    }
    @OnMessage('plain')
    plain(): void {
      seen.push('plain');
      throw new Error('never');
    }
    @OnMessage('final', { failurePolicy: { onError: () => 'discard' } })
    final(): void {
      seen.push('final');
      throw new Error('never');
    }
  }
  const { app } = await start(Failing);
  for (const [type, attempts] of [
    ['patient', 4],
    ['plain', 2],
    ['final', 1],
  ] as const) {
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish(1, { shardingKey: 'k', type });
    expect(await dead).toMatchObject({ attempt: attempts });
    expect(seen.splice(0)).toEqual(Array.from({ length: attempts }, () => type));
  }
});

test('guards, pipes and interceptors are those of the method', async () => {
  class Refuse implements CanActivate {
    canActivate(): boolean {
      return false;
    }
  }
  const around: NestInterceptor = {
    intercept: (context, call) => {
      seen.push(['before', context.getHandler().name]);
      return call.handle().pipe(tap(() => seen.push('after')));
    },
  };
  @MessageHandler()
  class Guarded {
    @UseGuards(Refuse)
    @OnMessage('closed')
    closed(): void {
      seen.push('closed');
    }
    @UseInterceptors(around)
    @OnMessage('around')
    around(): void {
      seen.push('around');
    }
    @UsePipes(new ValidationPipe())
    @OnMessage('checked')
    checked(_payload: Paid): void {
      seen.push('checked');
    }
    @OnMessage()
    other(): void {
      seen.push('other');
    }
  }
  const { app, send } = await start(Guarded);
  for (const [type, reason] of [
    ['closed', 'discarded'],
    ['checked', 'payload_invalid'],
  ] as const) {
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish({ cents: 'x' }, { shardingKey: 'k', type });
    expect(await dead).toMatchObject({ reason });
  }
  await send({ cents: 1 }, 'checked');
  await send({}, 'around');
  await send({});
  expect(seen).toEqual(['checked', ['before', 'around'], 'around', 'after', 'other']);
});

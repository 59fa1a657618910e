import {
  ForbiddenException,
  Injectable,
  InternalServerErrorException,
  Module,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type Provider,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  ack,
  CONTEXT_TYPE,
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { AT_ONCE, closeApps, deadLetterOf, next, producerOf, serviceOf, startApp } from './support/app.js';
import { underToken } from './support/nest-release.js';

afterEach(closeApps);

const asked: ExecutionContext[] = [];
beforeEach(() => void asked.splice(0));

/** Lets pass what does not say how it is to be refused. */
@Injectable()
class Guard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    asked.push(context);
    if (this.reflector.get<boolean>('closed', context.getHandler())) return false;
    const word: unknown = context.getArgs<[unknown]>()[0];
    if (word === 'forbidden') throw new ForbiddenException('not with this one');
    if (word === 'unauthorized') throw new UnauthorizedException();
    if (word === 'broken') throw new InternalServerErrorException('the guard is broken');
    if (word === 'failing') throw new TypeError('the guard failed');
    return word !== 'denied';
  }
}

class Counter implements DataUpdaterHandler<number> {
  init(): number {
    return 0;
  }
  handleMessage(_payload: unknown, count: number) {
    return ack(count + 1);
  }
  handleSignal(_signal: unknown, count: number): unknown {
    return count;
  }
}

@MessageHandler()
@UseGuards(Guard)
class GuardedClass extends Counter {
  override handleMessage(payload: unknown, count: number) {
    return super.handleMessage(payload, count);
  }
}

@MessageHandler()
class GuardedMethods extends Counter {
  @UseGuards(Guard)
  override handleMessage(payload: unknown, count: number) {
    return super.handleMessage(payload, count);
  }
  @UseGuards(Guard)
  override handleSignal(signal: unknown, count: number): unknown {
    return super.handleSignal(signal, count);
  }
}

@MessageHandler()
class GuardedMessages extends Counter {
  @UseGuards(Guard)
  override handleMessage(payload: unknown, count: number) {
    return super.handleMessage(payload, count);
  }
}

async function start(provider: Provider) {
  const transport = memory();
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE })],
    providers: [provider],
  });
  return { app, transport };
}

describe.each<[string, Provider]>([
  ['at the class', GuardedClass],
  ['at the methods', GuardedMethods],
  ...underToken(GuardedClass),
])('a guard %s', (_name, provider) => {
  test('sees the execution context of messages and signals', async () => {
    const { app } = await start(provider);
    await serviceOf(app).handleMessage('k', { payload: { amount: 5 }, headers: { tenant: 'a' } });
    expect(await serviceOf(app).handleSignal('k', 'count')).toBe(1);
    const [message, signal] = asked;
    expect(CONTEXT_TYPE).toBe('mississippi');
    expect(message!.getType()).toBe('mississippi');
    expect(message!.getClass()).toBe(provider === GuardedMethods ? GuardedMethods : GuardedClass);
    expect(message!.getHandler().name).toBe('handleMessage');
    expect(message!.getArgs()).toMatchObject([{ amount: 5 }, 0, { key: 'k', attempt: 1, headers: { tenant: 'a' } }]);
    expect(signal!.getHandler().name).toBe('handleSignal');
    expect(signal!.getType()).toBe('mississippi');
    expect(signal!.getArgs()).toMatchObject(['count', 1, { key: 'k', attempt: 0 }]);
    expect(message!.getClass()).toBe(signal!.getClass());
  });

  test.each([
    ['denied', 'denied by a guard: Forbidden resource'],
    ['forbidden', 'denied by a guard: not with this one'],
    ['unauthorized', 'denied by a guard: Unauthorized'],
  ])('that refuses a message (%s) discards it without a retry', async (payload, reason) => {
    const { app, transport } = await start(provider);
    const letter = await deadLetterOf(app, transport, payload);
    expect(letter.headers).toMatchObject({ [NOTE_HEADERS.reason]: 'discarded', [NOTE_HEADERS.attempts]: 1 });
    expect(letter.headers[NOTE_HEADERS.error]).toContain(reason);
    expect(asked).toHaveLength(1);
    await serviceOf(app).handleMessage('k', { payload: 'fine' });
    expect(await serviceOf(app).handleSignal('k', 'count')).toBe(1);
  });

  test.each([
    ['denied', ForbiddenException],
    ['forbidden', ForbiddenException],
    ['unauthorized', UnauthorizedException],
  ])('that refuses a signal (%s) rejects its caller, and the data updater lives on', async (signal, type) => {
    const { app } = await start(provider);
    await serviceOf(app).handleMessage('k', { payload: 'fine' });
    const updater = await serviceOf(app).getDataUpdater('k');
    await expect(serviceOf(app).handleSignal('k', signal)).rejects.toThrow(type);
    expect(updater.alive).toBe(true);
    expect(await serviceOf(app).handleSignal('k', 'count')).toBe(1);
  });

  test.each([
    ['broken', 'InternalServerErrorException: the guard is broken'],
    ['failing', 'TypeError: the guard failed'],
  ])('that fails itself (%s) is a failed attempt', async (payload, reason) => {
    const { app, transport } = await start(provider);
    const letter = await deadLetterOf(app, transport, payload);
    expect(letter.headers).toMatchObject({
      [NOTE_HEADERS.reason]: 'attempts_exhausted',
      [NOTE_HEADERS.attempts]: 3,
      [NOTE_HEADERS.error]: reason,
    });
    expect(asked).toHaveLength(3);
  });
});

test('a guard applies too where another module has an alias of the handler', async () => {
  @Module({ providers: [GuardedClass], exports: [GuardedClass] })
  class HandlerModule {}
  @Module({ imports: [HandlerModule], providers: [{ provide: 'ALIAS', useExisting: GuardedClass }] })
  class AliasModule {}
  const app = await startApp({ imports: [MississippiModule.forRoot(), HandlerModule, AliasModule] });
  await expect(serviceOf(app).handleSignal('k', 'denied')).rejects.toThrow(ForbiddenException);
});

test('a caller of handleMessage learns of a refusal from the outcome', async () => {
  const { app } = await start(GuardedMethods);
  const outcome = await serviceOf(app).handleMessage('k', { payload: 'denied' });
  expect(outcome).toMatchObject({ reason: { reason: expect.any(ForbiddenException) } });
});

test('a guard of one method leaves the other alone', async () => {
  const { app } = await start(GuardedMessages);
  expect(await serviceOf(app).handleSignal('k', 'denied')).toBe(0);
  expect(asked).toHaveLength(0);
});

test('a guard can read metadata of the method', async () => {
  @MessageHandler()
  @UseGuards(Guard)
  class Closed extends Counter {
    @SetMetadata('closed', true)
    override handleSignal(): unknown {
      return 'never';
    }
  }
  const { app } = await start(Closed);
  await expect(serviceOf(app).handleSignal('k', 'x')).rejects.toThrow(ForbiddenException);
  await serviceOf(app).handleMessage('k', { payload: 'fine' });
});

test('a refused message does not hold up the next one of its key', async () => {
  const { app, transport } = await start(GuardedMethods);
  const handled = next(serviceOf(app), 'handled');
  await producerOf(app).publish('denied', { shardingKey: 'k' });
  await producerOf(app).publish('fine', { shardingKey: 'k' });
  await handled;
  expect(transport.broker.deadLetters).toHaveLength(1);
  expect(transport.broker.length).toBe(0);
});

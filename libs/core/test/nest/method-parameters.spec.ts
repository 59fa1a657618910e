import {
  Body,
  Headers,
  Injectable,
  ParseIntPipe,
  Query,
  ValidationPipe,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { IsInt } from 'class-validator';
import {
  KeyState,
  MessageHandler,
  MississippiModule,
  OnMessage,
  OnSignal,
  reply,
  ShardingKey,
  type CallbackContext,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import { AT_ONCE, closeApps, next, producerOf, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

const seen: unknown[] = [];
beforeEach(() => void seen.splice(0));

class Paid {
  @IsInt()
  cents!: number;
}

@Injectable()
class Doubling implements PipeTransform<number, number> {
  transform(value: number): number {
    return value * 2;
  }
}

const imports = () => [MississippiModule.forRoot({ failurePolicy: AT_ONCE })];

@MessageHandler()
class Decorated {
  init(): string {
    return 'state';
  }

  @OnMessage('any order')
  anyOrder(
    @Ctx() context: MessageContext,
    @KeyState() state: string,
    @ShardingKey() key: string,
    @Payload() payload: unknown,
  ): void {
    seen.push([context.type, state, key, payload]);
  }

  @OnMessage('property')
  property(@Payload('cents', ParseIntPipe, Doubling) cents: number, @KeyState() state: string): void {
    seen.push([cents, state]);
  }

  @OnMessage('checked')
  checked(@Payload(new ValidationPipe({ transform: true })) payload: Paid, @Ctx() { key }: MessageContext): void {
    seen.push([payload instanceof Paid, key]);
  }

  @OnMessage('plain property')
  plain(@Payload('cents') cents: unknown): void {
    seen.push(cents);
  }

  @OnSignal('add')
  add(@KeyState() state: string, @Payload('n', ParseIntPipe) n: number, @Ctx() { signalName }: CallbackContext) {
    return reply([state, n, signalName], `${state}!`);
  }

  handleMessage(@ShardingKey() key: string, @Payload() payload: unknown): void {
    seen.push(['other', key, payload]);
  }

  handleSignal(@ShardingKey() key: string, @Payload() signal: unknown): unknown {
    return [key, signal];
  }
}

async function start(handler: Type) {
  const app = await startApp({ imports: imports(), providers: [handler] });
  return {
    app,
    send: async (payload: unknown, type?: string): Promise<unknown[]> => {
      const handled = next(serviceOf(app), 'handled');
      await producerOf(app).publish(payload, { shardingKey: 'k', type });
      await handled;
      return seen.splice(0);
    },
  };
}

test("parameters get what Nest's decorators and ours say, with pipes, in any order", async () => {
  const { app, send } = await start(Decorated);
  expect(await send('p', 'any order')).toEqual([['any order', 'state', 'k', 'p']]);
  expect(await send({ cents: '21' }, 'property')).toEqual([[42, 'state']]);
  expect(await send({ cents: 1 }, 'checked')).toEqual([[true, 'k']]);
  expect(await send({ cents: 3 }, 'plain property')).toEqual([3]);
  expect(await send(null, 'plain property')).toEqual([undefined]);
  expect(await send('p')).toEqual([['other', 'k', 'p']]);
  const service = serviceOf(app);
  expect(await service.handleSignal('k', { n: '7' }, { name: 'add' })).toEqual(['state', 7, 'add']);
  expect(await service.handleSignal('k', { n: '7' }, { name: 'add' })).toEqual(['state!', 7, 'add']);
  expect(await service.handleSignal('k', 's')).toEqual(['k', 's']);
});

test('a pipe of a parameter that objects is about the payload', async () => {
  const { app } = await start(Decorated);
  for (const type of ['property', 'checked']) {
    const dead = next(serviceOf(app), 'deadLettered');
    await producerOf(app).publish({ cents: 'x' }, { shardingKey: 'k', type });
    expect(await dead).toMatchObject({ reason: 'payload_invalid' });
  }
  await expect(serviceOf(app).handleSignal('k', { n: 'x' }, { name: 'add' })).rejects.toMatchObject({
    code: 'payload_invalid',
  });
  expect(seen).toEqual([]);
});

test('decorators of parameters alone need no decorated method', async () => {
  @MessageHandler()
  class Plain implements Partial<DataUpdaterHandler> {
    handleMessage(@Ctx() { key }: MessageContext, @Payload() payload: unknown): void {
      seen.push([key, payload]);
    }
  }
  const { send } = await start(Plain);
  expect(await send('p')).toEqual([['k', 'p']]);
});

describe('an app does not start with', () => {
  const OURS = '@Payload(), @Ctx(), @KeyState() or @ShardingKey()';
  const Custom = createParamDecorator(() => 'x');
  // It takes pipes, though its type does not say so.
  const PipedCtx: (...pipes: unknown[]) => ParameterDecorator = Ctx;

  @MessageHandler()
  class Half {
    @OnMessage('paid') paid(@Payload() _payload: unknown, _state: unknown): void {}
  }
  @MessageHandler()
  class HalfByDefault {
    @OnMessage('paid') paid(@Payload() _payload: unknown, _state: unknown = 1): void {}
  }
  @MessageHandler()
  class HalfOfHandleMessage {
    handleMessage(_payload: unknown, @KeyState() _state: unknown): void {}
  }
  @MessageHandler()
  class HalfOfSignal {
    @OnSignal('s') answer(_payload: unknown, @KeyState() _state: unknown): void {}
    handleMessage(): void {}
  }
  @MessageHandler()
  class Http {
    @OnMessage('paid') paid(@Payload() _payload: unknown, @Query() _query: unknown): void {}
  }
  @MessageHandler()
  class HttpHeader {
    @OnMessage('paid') paid(@Headers('x') _header: unknown): void {}
  }
  @MessageHandler()
  class OfTheUser {
    @OnMessage('paid') paid(@Custom() _value: unknown): void {}
  }
  @MessageHandler()
  class Twice {
    @OnMessage('paid') paid(@KeyState() @ShardingKey() _value: unknown): void {}
  }
  @MessageHandler()
  class Piped {
    @OnMessage('paid') paid(@PipedCtx(ParseIntPipe) _context: unknown): void {}
  }

  test.each<[Type, string]>([
    [
      Half,
      `parameter 2 of its method paid has no decorator, while others of it have: decorate it with ${OURS}, or none of them`,
    ],
    [HalfByDefault, 'parameter 2 of its method paid has no decorator'],
    [HalfOfHandleMessage, 'parameter 1 of its method handleMessage has no decorator'],
    [HalfOfSignal, 'parameter 1 of its method answer has no decorator'],
    [Http, `parameter 2 of its method paid has a decorator that means nothing here: use ${OURS}`],
    [HttpHeader, 'parameter 1 of its method paid has a decorator that means nothing here'],
    [OfTheUser, 'parameter 1 of its method paid has a decorator that means nothing here'],
    [Twice, 'parameter 1 of its method paid has two decorators'],
    [Piped, 'parameter 1 of its method paid has pipes: they are for @Payload() alone'],
  ])('%p', async (handler, text) => {
    const error = await startError({ imports: imports(), providers: [handler] });
    expect(error).toMatchObject({ code: 'invalid_handler' });
    expect(error.message).toContain(`${handler.name} is decorated with @MessageHandler but ${text}`);
  });

  test('but takes @Body() for what it is to Nest: the payload', async () => {
    @MessageHandler()
    class WithBody {
      handleMessage(@Body('cents') cents: unknown): void {
        seen.push(cents);
      }
    }
    const { send } = await start(WithBody);
    expect(await send({ cents: 1 })).toEqual([1]);
  });
});

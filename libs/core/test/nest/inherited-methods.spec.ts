import { UseGuards, type CanActivate } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { inspect } from 'node:util';
import {
  KeyState,
  memory,
  MessageHandler,
  MississippiModule,
  OnMessage,
  OnSignal,
  ShardingKey,
  type MemoryTransport,
  type DataUpdaterService,
} from '@mississippi/core';
import type { Type } from '@nestjs/common';
import { AT_ONCE, closeApps, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

/** What the methods and guards saw, in order. */
const seen: string[] = [];
beforeEach(() => void seen.splice(0));

const guardOf = (name: string, admits: boolean): CanActivate => ({
  canActivate: () => {
    seen.push(name);
    return admits;
  },
});

class Base {
  @UseGuards(guardOf('guard', false))
  @OnMessage('guarded')
  guarded(): void {
    seen.push('base');
  }
  @OnMessage('plain') plain(): void {
    seen.push('base');
  }
  @UseGuards(guardOf('guard', false))
  @OnSignal('asked')
  asked(): string {
    return 'base';
  }
}

async function start(handler: Type): Promise<{
  service: DataUpdaterService;
  transport: MemoryTransport;
  send: (type: string, event: 'handled' | 'deadLettered') => Promise<void>;
}> {
  const transport = memory();
  const imports = [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE, onUnknownType: 'deadLetter' })];
  const app = await startApp({ imports, providers: [handler] });
  const service = serviceOf(app);
  return {
    service,
    transport,
    send: async (type, event) => {
      const ended = next(service, event);
      await producerOf(app).publish(1, { shardingKey: 'k', type });
      await ended;
    },
  };
}

test('a method that overrides another without decorators handles the same, behind the same guards', async () => {
  @MessageHandler()
  class Overriding extends Base {
    override guarded(): void {
      seen.push('sub');
    }
    override plain(): void {
      seen.push('sub');
    }
    override asked(): string {
      return 'sub';
    }
  }
  const { service, send } = await start(Overriding);
  await send('guarded', 'deadLettered');
  await send('plain', 'handled');
  await expect(service.handleSignal('k', undefined, { name: 'asked' })).rejects.toMatchObject({ status: 403 });
  expect(seen).toEqual(['guard', 'sub', 'guard']);
});

test('guards of its own go before those that it would inherit', async () => {
  @MessageHandler()
  class Admitting extends Base {
    @UseGuards(guardOf('own guard', true))
    override guarded(): void {
      seen.push('sub');
    }
  }
  const { send } = await start(Admitting);
  await send('guarded', 'handled');
  expect(seen).toEqual(['own guard', 'sub']);
});

test('one that says itself what it handles has what it says, and nothing else', async () => {
  @MessageHandler()
  class Redecorated extends Base {
    @OnMessage('open')
    override guarded(): void {
      seen.push('sub');
    }
  }
  const { send, transport } = await start(Redecorated);
  await send('open', 'handled');
  await send('guarded', 'deadLettered');
  expect(seen).toEqual(['sub']);
  expect(transport.broker.takeDeadLetters()[0]).toMatchObject({ headers: { mississippi_reason: 'unknown_type' } });
});

describe('an overriding method with decorated parameters', () => {
  class Parameters {
    @OnMessage('some') some(@KeyState() state: unknown, @Payload() payload: unknown, @ShardingKey() key: string): void {
      seen.push(inspect([state, payload, key]));
    }
  }
  class Inheriting extends Parameters {
    override some(state: unknown, payload: unknown): void {
      seen.push(inspect(['inherited', state, payload]));
    }
  }
  class Own extends Parameters {
    @OnMessage('some') override some(@Payload() payload: unknown, @KeyState() state: unknown): void {
      seen.push(inspect(['own', payload, state]));
    }
  }
  class Piped extends Parameters {
    @OnMessage('some') override some(@Payload({ transform: () => 'piped' }) payload: unknown): void {
      seen.push(inspect(['piped', payload]));
    }
  }

  test.each([
    [Inheriting, "[ 'inherited', undefined, 1 ]"],
    [Own, "[ 'own', 1, undefined ]"],
    [Piped, "[ 'piped', 'piped' ]"],
  ])('%p gets what they say, or what those of the overridden one say', async (handler, expected) => {
    MessageHandler()(handler);
    const { send } = await start(handler);
    await send('some', 'handled');
    expect(seen).toEqual([expected]);
  });
});

test('a method behind a getter is asked of the instance alone', async () => {
  class Lazy {
    private readonly inner = { paid: () => void seen.push('paid') };
    get paid(): () => void {
      return this.inner.paid;
    }
  }
  (OnMessage('paid') as (target: object, method: string) => void)(Lazy.prototype, 'paid');
  MessageHandler()(Lazy);
  const { send } = await start(Lazy);
  await send('paid', 'handled');
  expect(seen).toEqual(['paid']);
});

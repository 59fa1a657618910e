import { jest } from '@jest/globals';
import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { catchError, concat, defer, EMPTY, from, map, of, tap, type Observable } from 'rxjs';
import {
  ack,
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { AT_ONCE, closeApps, deadLetterOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

const steps: unknown[] = [];
beforeEach(() => void steps.splice(0));

@Injectable()
class Tracing implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    steps.push(`${context.getType()} ${context.getClass().name}.${context.getHandler().name}`);
    return next.handle().pipe(tap((outcome: unknown) => steps.push(outcome)));
  }
}

@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

class Counter implements DataUpdaterHandler<number> {
  init(): number {
    return 0;
  }
  handleMessage(payload: unknown, count: number) {
    if (payload === 'fail') throw new TypeError('the handler failed');
    return ack(count + 1);
  }
  handleSignal(_signal: unknown, count: number): unknown {
    return count;
  }
}

async function start(handler: Type) {
  const transport = memory();
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE })],
    providers: [handler],
  });
  return { app, transport, service: serviceOf(app) };
}

test('an interceptor at the class sees messages and signals, and what they return', async () => {
  @MessageHandler()
  @UseInterceptors(Tracing)
  class Traced extends Counter {}
  const { service } = await start(Traced);
  await service.handleMessage('k', { payload: 'x' });
  expect(await service.handleSignal('k', 'count')).toBe(1);
  expect(steps).toEqual(['mississippi Traced.handleMessage', ack(1), 'mississippi Traced.handleSignal', 1]);
});

test('an interceptor at one method leaves the other alone', async () => {
  @MessageHandler()
  class Traced extends Counter {
    @UseInterceptors(Tracing)
    override handleSignal(signal: unknown, count: number): unknown {
      return super.handleSignal(signal, count);
    }
  }
  const { service } = await start(Traced);
  await service.handleMessage('k', { payload: 'x' });
  await service.handleSignal('k', 'count');
  expect(steps).toEqual(['mississippi Traced.handleSignal', 1]);
});

test('an interceptor that wraps the outcome makes a failed attempt that names what came back', async () => {
  @MessageHandler()
  @UseInterceptors(Wrapping)
  class Wrapped extends Counter {}
  const { app, transport, service } = await start(Wrapped);
  const letter = await deadLetterOf(app, transport, 'x');
  expect(letter.headers).toMatchObject({ [NOTE_HEADERS.reason]: 'attempts_exhausted', [NOTE_HEADERS.attempts]: 3 });
  expect(letter.headers[NOTE_HEADERS.error]).toMatch(/^handleMessage returned \{ data: Ack .*, which is no outcome/);
  expect(await service.handleSignal('k', 'count')).toEqual({ data: 0 });
});

test('an interceptor may answer in place of the handler', async () => {
  @MessageHandler()
  @UseInterceptors({ intercept: () => of(ack(41)) })
  class Replaced extends Counter {
    @UseInterceptors({ intercept: (_context, next) => next.handle() })
    override handleSignal(_signal: unknown, count: number): unknown {
      return count;
    }
  }
  const { service } = await start(Replaced);
  expect(await service.handleMessage('k', { payload: 'fail' })).toEqual(ack(41));
});

test('an interceptor sees a failure, and may turn it into an outcome', async () => {
  @MessageHandler()
  class Forgiving extends Counter {
    @UseInterceptors({
      intercept: (_context, next) =>
        next.handle().pipe(
          catchError((error: unknown) => {
            steps.push(error);
            return of(ack(7));
          }),
        ),
    })
    override handleMessage(payload: unknown, count: number) {
      return super.handleMessage(payload, count);
    }
  }
  const { service } = await start(Forgiving);
  await service.handleMessage('k', { payload: 'fail' });
  expect(steps).toEqual([new TypeError('the handler failed')]);
  expect(await service.handleSignal('k', 'count')).toBe(7);
});

test('an interceptor that ends without a value makes a failed attempt', async () => {
  @MessageHandler()
  @UseInterceptors({ intercept: () => EMPTY })
  class Swallowed extends Counter {}
  const { app, transport } = await start(Swallowed);
  const letter = await deadLetterOf(app, transport, 'x');
  expect(letter.headers[NOTE_HEADERS.reason]).toBe('attempts_exhausted');
  expect(letter.headers[NOTE_HEADERS.error]).toContain('EmptyError');
});

test('an interceptor may wait before and after the handler', async () => {
  const before = defer(() => from(Promise.resolve().then(() => steps.push('before'))));
  @MessageHandler()
  @UseInterceptors({ intercept: (_context, next) => concat(before, next.handle()) })
  class Waiting extends Counter {
    override handleMessage(payload: unknown, count: number) {
      steps.push('handler');
      return super.handleMessage(payload, count);
    }
  }
  const { service } = await start(Waiting);
  expect(await service.handleMessage('k', { payload: 'x' })).toEqual(ack(1));
  expect(steps).toEqual(['before', 'handler']);
});

test('a handler without enhancers is called directly: its methods may be replaced while it runs', async () => {
  @MessageHandler()
  class Plain extends Counter {}
  const { app, service } = await start(Plain);
  const replaced = jest.spyOn(app.get(Plain), 'handleMessage').mockReturnValue(ack(9));
  await service.handleMessage('k', { payload: 'x' });
  expect(replaced).toHaveBeenCalledTimes(1);
  expect(replaced.mock.contexts[0]).toBe(app.get(Plain));
  expect(await service.handleSignal('k', 'count')).toBe(9);
});

test('enhancers of one method leave the other callbacks their handler and its private state', async () => {
  @MessageHandler()
  class Keeping implements DataUpdaterHandler<number> {
    readonly #started: string[] = [];
    init(): number {
      this.#started.push('init');
      return 0;
    }
    @UseInterceptors(Tracing)
    handleMessage(): void {
      this.#started.push('message');
    }
    handleSignal(): string[] {
      return this.#started;
    }
    terminate(): void {
      steps.push(...this.#started);
    }
  }
  const { app, service } = await start(Keeping);
  await service.handleMessage('k', { payload: 'x' });
  expect(await service.handleSignal('k', 'x')).toEqual(['init', 'message']);
  await app.close();
  expect(steps.slice(-2)).toEqual(['init', 'message']);
});

import {
  Catch,
  Injectable,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
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

const used: string[] = [];
beforeEach(() => void used.splice(0));

@Injectable()
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    used.push(`guard of ${context.getType()}`);
    return true;
  }
}

@Injectable()
class Pipe implements PipeTransform {
  transform(value: unknown): unknown {
    used.push(`pipe of ${String(value)}`);
    return value;
  }
}

@Injectable()
class Interceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    used.push('interceptor');
    return next.handle();
  }
}

@Catch()
class Filter implements ExceptionFilter {
  catch(error: Error): string {
    used.push(`filter of ${error.message}`);
    return 'an answer for HTTP';
  }
}

class Handler implements DataUpdaterHandler<number> {
  init(): number {
    return 0;
  }
  handleMessage(payload: unknown, count: number) {
    if (payload === 'fail') throw new Error('the handler failed');
    return ack(count + 1);
  }
  handleSignal(): string {
    return 'fine';
  }
}

@MessageHandler()
class ByDefault extends Handler {}

@MessageHandler({ inheritAppConfig: true })
class Inheriting extends Handler {}

@MessageHandler({ inheritAppConfig: false })
class Refusing extends Handler {}

interface Setting {
  readonly providers?: Provider[];
  readonly configure?: (app: INestApplication) => void;
  readonly inheritAppConfig?: boolean;
}

async function start(handler: Type, { providers = [], configure, inheritAppConfig = false }: Setting) {
  const transport = memory();
  const imports = [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE, inheritAppConfig })];
  const app = await startApp({ imports, providers: [handler, ...providers] }, configure);
  return { app, transport, service: serviceOf(app) };
}

const everywhere: [string, Setting][] = [
  [
    'from useGlobal...',
    {
      configure: (app) =>
        void app
          .useGlobalGuards(new Guard())
          .useGlobalPipes(new Pipe())
          .useGlobalInterceptors(new Interceptor())
          .useGlobalFilters(new Filter()),
    },
  ],
  [
    'from providers',
    {
      providers: [
        { provide: APP_GUARD, useClass: Guard },
        { provide: APP_PIPE, useClass: Pipe },
        { provide: APP_INTERCEPTOR, useClass: Interceptor },
        { provide: APP_FILTER, useClass: Filter },
      ],
    },
  ],
];

describe.each(everywhere)('app-wide enhancers %s', (_name, setting) => {
  test.each<[string, Type, boolean]>([
    ['by default', ByDefault, false],
    ['where the handler refuses what forRoot inherits', Refusing, true],
  ])('do not apply to the handler %s', async (_case, handler, inheritAppConfig) => {
    const { app, transport, service } = await start(handler, { ...setting, inheritAppConfig });
    await deadLetterOf(app, transport, 'fail');
    await service.handleMessage('k', { payload: 'x' });
    await service.handleSignal('k', 'x');
    expect(used).toEqual([]);
  });

  test.each<[string, Type, boolean]>([
    ['of the handler', Inheriting, false],
    ['of forRoot', ByDefault, true],
  ])('apply to messages and signals with inheritAppConfig: true %s', async (_case, handler, inheritAppConfig) => {
    const { app, transport, service } = await start(handler, { ...setting, inheritAppConfig });
    await service.handleMessage('k', { payload: 'x' });
    expect(used.splice(0)).toEqual(['guard of mississippi', 'interceptor', 'pipe of x']);
    expect(await service.handleSignal('k', 'y')).toBe('fine');
    expect(used.splice(0)).toEqual(['guard of mississippi', 'interceptor', 'pipe of y']);
    const letter = await deadLetterOf(app, transport, 'fail');
    expect(used).toHaveLength(12);
    expect(used.at(-1)).toBe('filter of the handler failed');
    expect(letter.headers).toMatchObject({ [NOTE_HEADERS.reason]: 'attempts_exhausted', [NOTE_HEADERS.attempts]: 3 });
  });
});

/** Wraps every answer, as many an HTTP app does. */
@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

test('an app-wide envelope for HTTP does not touch the outcomes by default', async () => {
  const { service } = await start(ByDefault, { providers: [{ provide: APP_INTERCEPTOR, useClass: Envelope }] });
  expect(await service.handleMessage('k', { payload: 'x' })).toEqual(ack(1));
  expect(await service.handleSignal('k', 'x')).toBe('fine');
});

test('one that is inherited makes failed attempts that name what came back', async () => {
  const { app, transport } = await start(Inheriting, { providers: [{ provide: APP_INTERCEPTOR, useClass: Envelope }] });
  const letter = await deadLetterOf(app, transport, 'x');
  expect(letter.headers[NOTE_HEADERS.error]).toContain('handleMessage returned { data: Ack');
});

test('with inheritAppConfig but nothing app-wide, the handler is called directly', async () => {
  const { app, service } = await start(Inheriting, {});
  app.get(Inheriting).handleSignal = () => 'replaced';
  expect(await service.handleSignal('k', 'x')).toBe('replaced');
});

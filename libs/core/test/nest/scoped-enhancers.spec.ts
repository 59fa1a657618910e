import {
  Catch,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CanActivate,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { MessageHandler, MississippiModule, type DataUpdaterHandler } from '@mississippi/core';
import { closeApps, serviceOf, startApp, startError } from './support/app.js';
import { SINCE_12_2 } from './support/nest-release.js';

afterEach(closeApps);

@Injectable()
class Rules {
  readonly open = true;
}

/** Any kind of enhancer; it needs its constructor to have run. */
class Anything {
  constructor(@Inject(Rules) private readonly rules: Rules) {}
  canActivate(): boolean {
    return this.rules.open;
  }
  transform(value: unknown): unknown {
    return this.rules.open ? value : undefined;
  }
  intercept(_context: unknown, next: { handle(): unknown }): unknown {
    return this.rules.open ? next.handle() : undefined;
  }
  catch(): void {}
}

@Injectable({ scope: Scope.REQUEST })
@Catch()
class PerRequest extends Anything {}

@Injectable({ scope: Scope.TRANSIENT })
@Catch()
class PerUser extends Anything {}

class Plain implements DataUpdaterHandler {
  handleMessage(): void {}
  handleSignal(): string {
    return 'fine';
  }
}

const kinds: [string, (enhancer: Type) => MethodDecorator & ClassDecorator][] = [
  ['guard', (enhancer) => UseGuards(enhancer as Type<CanActivate>)],
  ['pipe', (enhancer) => UsePipes(enhancer)],
  ['interceptor', (enhancer) => UseInterceptors(enhancer)],
  ['filter', (enhancer) => UseFilters(enhancer)],
];

const refusal = (...providers: Provider[]): Promise<Error> =>
  startError({ imports: [MississippiModule.forRoot()], providers: [Rules, ...providers] });

function decorated(use: ClassDecorator): Type {
  @MessageHandler()
  @use
  class Handler extends Plain {}
  return Handler;
}

describe.each(kinds)('a %s of request scope', (_kind, use) => {
  test('is refused at the start, since no message belongs to a request', async () => {
    const error = await refusal(decorated(use(PerRequest)));
    expect(error).toMatchObject({ code: 'handler_scope' });
    expect(error.message).toContain('of its guards, pipes, interceptors and filters');
  });
});

describe.each(kinds)('a transient %s', (kind, use) => {
  test('is refused at the start, since it would be left out', async () => {
    const error = await refusal(decorated(use(PerUser)));
    expect(error).toMatchObject({ code: 'invalid_handler' });
    expect(error.message).toContain(`its ${kind} PerUser is transient: make it a singleton`);
  });

  test('at a method is refused too', async () => {
    @MessageHandler()
    class Handler extends Plain {
      @use(PerUser)
      override handleSignal(): string {
        return 'fine';
      }
    }
    expect(await refusal(Handler)).toMatchObject({ code: 'invalid_handler' });
  });
});

@Injectable()
@Catch()
class Single extends Anything {}

type Provide = (handler: Type) => Provider;

describe.each(kinds)('a %s given by its class', (kind, use) => {
  test.each<[string, Provide]>([
    ['useFactory', (handler) => ({ provide: 'H', useFactory: () => new handler() as object })],
    ['useValue', (handler) => ({ provide: 'H', useValue: new handler() as object })],
    ...(SINCE_12_2 ? [] : ([['useClass', (useClass) => ({ provide: 'H', useClass })]] as [string, Provide][])),
  ])('on a handler from %s is refused at the start, since it would be left out', async (_name, provide) => {
    const error = await refusal(provide(decorated(use(Single))));
    expect(error).toMatchObject({ code: 'invalid_handler' });
    expect(error.message).toContain(`its ${kind} Single has no instance`);
    expect(error.message).toContain('provide the handler by its class, or decorate with an instance of it');
  });
});

test('given by an instance, it is applied on such a handler', async () => {
  @MessageHandler()
  @UseGuards({ canActivate: () => false })
  class Handler extends Plain {}
  const app = await startApp({
    imports: [MississippiModule.forRoot()],
    providers: [{ provide: 'H', useFactory: () => new Handler() }],
  });
  await expect(serviceOf(app).handleSignal('k', 'x')).rejects.toThrow('Forbidden');
});

describe.each([APP_GUARD, APP_PIPE, APP_INTERCEPTOR, APP_FILTER])('a scoped %s', (token) => {
  test.each([PerRequest, PerUser])('(%p) with inheritAppConfig is refused at the start', async (useClass) => {
    @MessageHandler({ inheritAppConfig: true })
    class Handler extends Plain {}
    const error = await refusal(Handler, { provide: token, useClass });
    expect(error).toMatchObject({ code: 'invalid_handler' });
    expect(error.message).toContain(`inheritAppConfig would apply ${useClass.name} to it`);
    expect(error.message).toContain('make that a singleton, or leave inheritAppConfig out');
  });

  test('without inheritAppConfig is no concern of the handler', async () => {
    @MessageHandler()
    class Handler extends Plain {}
    const app = await startApp({
      imports: [MississippiModule.forRoot()],
      providers: [Rules, Handler, { provide: token, useClass: PerRequest }],
    });
    expect(await serviceOf(app).handleSignal('k', 'x')).toBe('fine');
  });
});

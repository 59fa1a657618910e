import {
  BadRequestException,
  Catch,
  ForbiddenException,
  Injectable,
  UseFilters,
  UseGuards,
  UsePipes,
  ValidationPipe,
  type ArgumentsHost,
  type ExceptionFilter,
  type Provider,
  type Type,
} from '@nestjs/common';
import { IsInt } from 'class-validator';
import {
  ack,
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { AT_ONCE, closeApps, deadLetterOf, Logs, serviceOf, startApp } from './support/app.js';
import { underToken } from './support/nest-release.js';

afterEach(closeApps);

const caught: { error: unknown; host: ArgumentsHost }[] = [];
beforeEach(() => void caught.splice(0));

@Injectable()
class Sink {
  take(error: unknown, host: ArgumentsHost): void {
    caught.push({ error, host });
  }
}

@Catch()
class ReturningAck implements ExceptionFilter {
  constructor(private readonly sink: Sink) {}
  catch(error: unknown, host: ArgumentsHost): unknown {
    this.sink.take(error, host);
    return ack(99);
  }
}

@Catch()
class Rethrowing implements ExceptionFilter {
  catch(error: Error): never {
    throw error;
  }
}

@Catch()
class Translating implements ExceptionFilter {
  async catch(error: Error): Promise<never> {
    throw new RangeError(`translated: ${error.message}`, { cause: error });
  }
}

@Catch(SyntaxError)
class ForOthers implements ExceptionFilter {
  catch(): never {
    throw new Error('this filter was not meant');
  }
}

class Payment {
  @IsInt()
  amount!: number;
}

class Failing implements DataUpdaterHandler<number> {
  init(): number {
    return 0;
  }
  handleMessage(payload: unknown): void {
    if (payload === 'fail') throw new TypeError('the handler failed');
  }
  handleSignal(signal: unknown): string {
    if (signal === 'fail') throw new TypeError('the signal failed');
    return 'fine';
  }
}

async function start(...providers: Provider[]) {
  const transport = memory();
  const logs = new Logs();
  const imports = [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE })];
  const app = await startApp({ imports, providers: [Sink, ...providers] }, undefined, logs);
  return { app, transport, logs, service: serviceOf(app) };
}

@MessageHandler()
@UseFilters(ReturningAck)
class AtClass extends Failing {}

@MessageHandler()
class AtMethods extends Failing {
  @UseFilters(ReturningAck)
  override handleMessage(payload: unknown): void {
    super.handleMessage(payload);
  }
  @UseFilters(ReturningAck)
  override handleSignal(signal: unknown): string {
    return super.handleSignal(signal);
  }
}

describe.each<[string, Provider]>([['at the class', AtClass], ['at the methods', AtMethods], ...underToken(AtClass)])(
  'a filter %s',
  (_name, provider) => {
    test('is told of every failed attempt, but what it returns settles nothing', async () => {
      const { app, transport } = await start(provider);
      const letter = await deadLetterOf(app, transport, 'fail');
      const failure = new TypeError('the handler failed');
      expect(caught.map(({ error }) => error)).toEqual([failure, failure, failure]);
      expect(letter.headers).toMatchObject({
        [NOTE_HEADERS.reason]: 'attempts_exhausted',
        [NOTE_HEADERS.error]: 'TypeError: the handler failed',
      });
    });

    test('is told where it happened', async () => {
      const { app, transport } = await start(provider);
      await deadLetterOf(app, transport, 'fail');
      expect(caught[0]!.host.getType()).toBe('mississippi');
      expect(caught[0]!.host.getArgs()).toMatchObject(['fail', 0, { key: 'k', attempt: 1 }]);
    });

    test('does not answer a signal that failed', async () => {
      const { service } = await start(provider);
      await expect(service.handleSignal('k', 'fail')).rejects.toThrow('the signal failed');
      expect(caught).toHaveLength(1);
      expect(await service.handleSignal('k', 'x')).toBe('fine');
    });
  },
);

test('a filter may throw another error, which then counts', async () => {
  @MessageHandler()
  @UseFilters(Translating)
  class Handler extends Failing {}
  const { app, transport, service } = await start(Handler);
  const letter = await deadLetterOf(app, transport, 'fail');
  expect(letter.headers[NOTE_HEADERS.error]).toBe(
    'RangeError: translated: the handler failed (cause: TypeError: the handler failed)',
  );
  await expect(service.handleSignal('k', 'fail')).rejects.toMatchObject({
    name: 'RangeError',
    message: 'translated: the signal failed',
  });
});

/** A handler whose guard refuses 'denied' and whose pipe wants a payment. */
function guardedWith(filter: Type<ExceptionFilter>): Type {
  @MessageHandler()
  @UseFilters(filter)
  @UseGuards({ canActivate: (context) => context.getArgs<[unknown]>()[0] !== 'denied' })
  class Handler extends Failing {
    @UsePipes(new ValidationPipe())
    override handleMessage(payload: Payment): void {
      super.handleMessage(payload);
    }
  }
  return Handler;
}

describe.each<[string, Type<ExceptionFilter>]>([
  ['that returns a value', ReturningAck],
  ['that throws what it got', Rethrowing],
  ['that is meant for other errors', ForOthers],
])('with a filter %s', (_name, filter) => {
  test("a guard's refusal is a discard still", async () => {
    const { app, transport, service } = await start(guardedWith(filter));
    const letter = await deadLetterOf(app, transport, 'denied');
    expect(letter.headers).toMatchObject({ [NOTE_HEADERS.reason]: 'discarded', [NOTE_HEADERS.attempts]: 1 });
    await expect(service.handleSignal('k', 'denied')).rejects.toThrow(ForbiddenException);
  });

  test("a pipe's refusal is payload_invalid still", async () => {
    const { app, transport } = await start(guardedWith(filter));
    const letter = await deadLetterOf(app, transport, { amount: 'much' });
    expect(letter.headers).toMatchObject({ [NOTE_HEADERS.reason]: 'payload_invalid', [NOTE_HEADERS.attempts]: 1 });
  });

  test('a failure is retried still, and logged as a dead letter and nothing else', async () => {
    @MessageHandler()
    @UseFilters(filter)
    class Handler extends Failing {}
    const { app, transport, logs } = await start(Handler);
    const letter = await deadLetterOf(app, transport, 'fail');
    expect(letter.headers).toMatchObject({
      [NOTE_HEADERS.attempts]: 3,
      [NOTE_HEADERS.error]: 'TypeError: the handler failed',
    });
    expect(logs.errors).toEqual([expect.stringMatching(/^The message .* is dead-lettered after 3 attempts/)]);
  });
});

test('a filter sees what the guard and the pipe threw, not what the library makes of it', async () => {
  const { app, transport } = await start(guardedWith(ReturningAck));
  await deadLetterOf(app, transport, 'denied');
  await deadLetterOf(app, transport, { amount: 'much' });
  expect(caught.map(({ error }) => error)).toEqual([expect.any(ForbiddenException), expect.any(BadRequestException)]);
});

test('the nearest filter that fits is the one that is told', async () => {
  @Catch(TypeError)
  class ForTypeErrors extends ReturningAck {}
  @MessageHandler()
  @UseFilters(ForOthers, ForTypeErrors)
  class Handler extends Failing {
    @UseFilters(ForOthers)
    override handleMessage(payload: unknown): void {
      super.handleMessage(payload);
    }
  }
  const { app, transport } = await start(Handler);
  await deadLetterOf(app, transport, 'fail');
  expect(caught).toHaveLength(3);
});

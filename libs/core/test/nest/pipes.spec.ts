import {
  BadRequestException,
  Injectable,
  NotFoundException,
  ParseIntPipe,
  UsePipes,
  ValidationPipe,
  type ArgumentMetadata,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { Type as TransformTo } from 'class-transformer';
import { IsInt, Min } from 'class-validator';
import {
  ack,
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  PayloadInvalidError,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { AT_ONCE, Logs, closeApps, deadLetterOf, serviceOf, startApp } from './support/app.js';
import { SINCE_12_2 } from './support/nest-release.js';

afterEach(closeApps);

class Payment {
  @IsInt()
  @Min(1)
  @TransformTo(() => Number)
  amount!: number;
}

const seen: { value: unknown; metadata: ArgumentMetadata }[] = [];
const handled: unknown[] = [];
beforeEach(() => {
  seen.splice(0);
  handled.splice(0);
});

@Injectable()
class Watching implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    seen.push({ value, metadata });
    return value;
  }
}

@MessageHandler()
@UsePipes(Watching)
class Payments implements DataUpdaterHandler<number, Payment, string, Payment> {
  init(): number {
    return 0;
  }
  @UsePipes(new ValidationPipe({ transform: true }))
  handleMessage(payment: Payment, total: number) {
    handled.push(payment);
    return ack(total + payment.amount);
  }
  @UsePipes(new ValidationPipe({ transform: true }))
  handleSignal(question: Payment, total: number): number {
    handled.push(question);
    return total;
  }
}

async function start(handler: Type) {
  const transport = memory();
  const logs = new Logs();
  const imports = [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE })];
  const app = await startApp({ imports, providers: [handler] }, undefined, logs);
  return { app, transport, logs, service: serviceOf(app) };
}

test('pipes see the payload with its class, and neither the state nor the context', async () => {
  const { service } = await start(Payments);
  await service.handleMessage('k', { payload: { amount: '5' } });
  expect(await service.handleSignal('k', { amount: 1 })).toBe(5);
  expect(seen.map(({ value }) => value)).toEqual([{ amount: '5' }, { amount: 1 }]);
  expect(seen[0]!.metadata.metatype).toBe(Payment);
});

test('what a pipe makes of the payload is what the handler gets', async () => {
  const { service } = await start(Payments);
  await service.handleMessage('k', { payload: { amount: '5' } });
  expect(handled[0]).toBeInstanceOf(Payment);
  expect(handled[0]).toEqual({ amount: 5 });
});

test("a ValidationPipe's refusal is dead-lettered as payload_invalid without a retry", async () => {
  const { app, transport, service } = await start(Payments);
  const letter = await deadLetterOf(app, transport, { amount: -1 });
  expect(letter.headers).toMatchObject({
    [NOTE_HEADERS.reason]: 'payload_invalid',
    [NOTE_HEADERS.attempts]: 1,
    [NOTE_HEADERS.error]: 'The payload is no valid Payment: amount must not be less than 1',
  });
  expect(handled).toEqual([]);
  await service.handleMessage('k', { payload: { amount: 2 } });
  expect(await service.handleSignal('k', { amount: 1 })).toBe(2);
});

test('it rejects the caller of handleMessage, and that of a signal, and the data updater lives on', async () => {
  const { service } = await start(Payments);
  const updater = await service.getDataUpdater('k');
  for (const refused of [
    service.handleMessage('k', { payload: { amount: 'much' } }),
    service.handleSignal('k', { amount: 0 }),
  ]) {
    const error: unknown = await refused.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(PayloadInvalidError);
    expect((error as PayloadInvalidError).problems[0]).toContain('amount must');
  }
  expect(updater.alive).toBe(true);
});

test('a pipe that changes the type of the payload does so at method level too', async () => {
  @MessageHandler()
  class Numbers implements DataUpdaterHandler {
    @UsePipes(ParseIntPipe)
    handleMessage(payload: unknown): void {
      handled.push(payload);
    }
  }
  const { app, transport, service } = await start(Numbers);
  await service.handleMessage('k', { payload: '12' });
  expect(handled).toEqual([12]);
  const letter = await deadLetterOf(app, transport, 'twelve');
  expect(letter.headers[NOTE_HEADERS.error]).toContain('Validation failed (numeric string is expected)');
});

test('a ValidationPipe that cannot know the class, for want of a decorator on the method, is warned about', async () => {
  @MessageHandler()
  @UsePipes(new ValidationPipe())
  class Undecorated implements DataUpdaterHandler<unknown, Payment> {
    handleMessage(payment: Payment): void {
      handled.push(payment);
    }
  }
  const { logs } = await start(Undecorated);
  const warned = logs.warnings.some((line) => line.includes('handleMessage'));
  expect(warned).toBe(SINCE_12_2);
});

describe('a pipe that fails otherwise is a failed attempt', () => {
  test.each<[string, Error, string]>([
    ['with an error of its own', new TypeError('the pipe failed'), 'attempts_exhausted'],
    ['with another HTTP status', new NotFoundException('no such account'), 'attempts_exhausted'],
    ['and with a refusal it is not', new BadRequestException({ reason: 'odd' }), 'payload_invalid'],
  ])('%s', async (_name, failure, reason) => {
    @MessageHandler()
    @UsePipes({
      transform(): never {
        throw failure;
      },
    })
    class Failing implements DataUpdaterHandler {
      handleMessage(): void {}
    }
    const { app, transport } = await start(Failing);
    expect((await deadLetterOf(app, transport, 'x')).headers[NOTE_HEADERS.reason]).toBe(reason);
  });
});

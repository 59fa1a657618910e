import { ForbiddenException, UseGuards, UsePipes, type Type } from '@nestjs/common';
import {
  memory,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type PayloadCodec,
  type SignalFormat,
} from '@mississippi/core';
import { closeApps, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

/** Marks what it wrote. */
const codecOf = (mark: string): PayloadCodec => ({
  encode: (value) => Buffer.from(JSON.stringify([mark, value])),
  decode(body) {
    const [, value] = JSON.parse(Buffer.from(body).toString()) as [string, unknown];
    return `${mark} ${String(value)}`;
  },
});

class Echo implements DataUpdaterHandler {
  handleMessage(): void {}

  handleSignal(signal: unknown): unknown {
    return signal;
  }
}

async function start(handler: Type, signals?: SignalFormat) {
  const options = { transport: memory(), ...(signals === undefined ? {} : { signals }) };
  return serviceOf(await startApp({ imports: [MississippiModule.forRoot(options)], providers: [handler] }));
}

test('forRoot says how signals travel, and what the decorator says goes before it', async () => {
  @MessageHandler()
  class Plain extends Echo {}
  @MessageHandler({ signals: codecOf('own') })
  class Own extends Echo {}
  expect(await (await start(Plain, codecOf('all'))).handleSignal('k', 'x')).toBe('all all x');
  expect(await (await start(Own, codecOf('all'))).handleSignal('k', 'x')).toBe('own own x');
});

test('guards and pipes see the decoded signal', async () => {
  const seen: unknown[] = [];
  @MessageHandler()
  @UseGuards({ canActivate: (context) => seen.push(context.getArgs<[unknown]>()[0]) > 0 })
  @UsePipes({ transform: (value: unknown) => (seen.push(value), value) })
  class Watched extends Echo {}
  const signal = { amount: 1 };
  await (await start(Watched, 'json')).handleSignal('k', signal);
  expect(seen).toEqual([signal, signal]);
  expect(seen[0]).not.toBe(signal);
});

test("a guard's own exception reaches the caller as the one of Nest's that filters know", async () => {
  class Banned extends ForbiddenException {}
  @MessageHandler()
  @UseGuards({
    canActivate: () => {
      throw new Banned({ message: 'banned', until: 'monday' });
    },
  })
  class Guarded extends Echo {}
  const error: unknown = await (await start(Guarded)).handleSignal('k', 1).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ForbiddenException);
  expect(error).not.toBeInstanceOf(Banned);
  expect((error as ForbiddenException).getResponse()).toEqual({ message: 'banned', until: 'monday' });
});

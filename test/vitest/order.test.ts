/** The testing kit under Vitest, from the packages as they are built. Jest has its own proof in `libs/testing/test`. */
import 'reflect-metadata';
import {
  ack,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import { messageContext, MississippiHarness } from '@mississippi/testing';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, expect, test, vi, type MockInstance } from 'vitest';

@Injectable()
class Mail {
  send(_to: string): void {}
}

interface Order {
  cents: number;
}

@MessageHandler()
class OrderHandler implements DataUpdaterHandler<Order, { cents: number }> {
  constructor(private readonly mail: Mail) {}

  init(): Order {
    return { cents: 0 };
  }

  handleMessage(item: { cents: number }, order: Order, { key }: MessageContext) {
    this.mail.send(key);
    return ack({ cents: order.cents + item.cents });
  }
}

@Module({ imports: [MississippiModule.forRoot()], providers: [OrderHandler, Mail] })
class AppModule {}

let harness: MississippiHarness | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await harness?.close();
});

async function start(): Promise<[MississippiHarness, MockInstance<Mail['send']>]> {
  harness = await MississippiHarness.create(Test.createTestingModule({ imports: [AppModule] }));
  return [harness, vi.spyOn(harness.get(Mail), 'send')];
}

test('a failed attempt is made again after its backoff', async () => {
  const [app, send] = await start();
  send.mockImplementationOnce(() => {
    throw new Error('the mail server is away');
  });
  await app.send('order-1', { cents: 250 });
  await expect(app.settled()).rejects.toThrow('order-1');
  await app.advance(100);
  await app.settled();
  expect(app.outcomes('order-1')).toEqual(['retried', 'handled']);
  expect(await app.state('order-1')).toEqual({ cents: 250 });
});

test('a crash between the work and its settlement does the work twice', async () => {
  const [app, send] = await start();
  const { reached } = app.hang('order-1', { at: 'end' });
  await app.send('order-1', { cents: 250 });
  await reached;
  await app.crashAndRestart();
  await app.settled();
  expect(send).toHaveBeenCalledTimes(2);
});

test('fake timers of Vitest stop nothing', async () => {
  vi.useFakeTimers();
  const [app] = await start();
  await app.send('order-1', { cents: 250 });
  await app.settled();
  expect(app.outcomes('order-1')).toEqual(['handled']);
});

test('a handler needs no Nest', () => {
  const outcome = new OrderHandler(new Mail()).handleMessage({ cents: 5 }, { cents: 1 }, messageContext({ key: 'o' }));
  expect(outcome.state).toEqual({ cents: 6 });
});

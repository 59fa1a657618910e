/** The examples of the README, as they stand there, run. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  ack,
  discard,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { messageContext, MississippiHarness } from '../src/index.js';

export interface OrderState {
  cents: number;
}

@Injectable()
export class Mail {
  async send(order: string, cents: number): Promise<void> {
    await fetch(`https://mail.example/${order}/${cents}`, { method: 'POST' });
  }
}

@MessageHandler()
export class OrderHandler implements DataUpdaterHandler<OrderState, { cents: number }> {
  constructor(private readonly mail: Mail) {}

  init(): OrderState {
    return { cents: 0 };
  }

  async handleMessage(item: { cents: number }, order: OrderState, context: MessageContext) {
    if (item.cents < 0) return discard('a negative amount');
    if (context.type === 'order.paid') await this.mail.send(context.key, order.cents);
    return ack({ cents: order.cents + item.cents });
  }

  handleSignal(_signal: unknown, order: OrderState): number {
    return order.cents;
  }
}

@Module({ imports: [MississippiModule.forRoot()], providers: [OrderHandler, Mail] })
export class AppModule {}

export const sent: string[] = [];
export const mail = { send: async (order: string) => void sent.push(order) };
export let harness: MississippiHarness;

beforeEach(async () => {
  const builder = Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(Mail)
    .useValue(mail);
  harness = await MississippiHarness.create(builder);
});

afterEach(() => harness.close());

test('an order adds its items up', async () => {
  await harness.send('order-1', { cents: 250 });
  await harness.send('order-1', { cents: 100 });
  await harness.settled();
  expect(harness.outcomes('order-1')).toEqual(['handled', 'handled']);
  expect(await harness.state('order-1')).toEqual({ cents: 350 });
  expect(await harness.signal('order-1', 'total')).toBe(350);
});

test('a negative amount is dead-lettered', async () => {
  await harness.send('order-1', { cents: -1 }, { type: 'order.created' });
  await harness.settled();
  expect(harness.deadLetters()).toMatchObject([{ key: 'order-1', reason: 'discarded', error: 'a negative amount' }]);
});

test('a payment is mailed', async () => {
  const context = messageContext({ key: 'order-1', type: 'order.paid' });
  const outcome = await new OrderHandler(mail).handleMessage({ cents: 0 }, { cents: 5 }, context);
  expect(outcome).toEqual(ack({ cents: 5 }));
  expect(sent).toEqual(['order-1']);
  expect(context.published).toEqual([]);
});

test('a mail that fails is tried again', async () => {
  harness.fail('order-1', { error: new Error('the mail server is away') });
  await harness.send('order-1', { cents: 5 });
  await harness.settled({ advance: 60_000 }); // as much of it as is needed, up to a minute
  expect(harness.outcomes('order-1')).toEqual(['retried', 'handled']);
});

test('a key that rests for three hours is forgotten', async () => {
  await harness.send('order-1', { cents: 5 });
  await harness.settled();
  await harness.advance(3 * 3_600_000);
  expect(harness.journal.at(-1)).toMatchObject({ type: 'deactivated', reason: 'idle' });
});

test('a crash between the mail and its settlement sends it twice: the mail must know the order', async () => {
  const { reached } = harness.hang('order-1', { at: 'end' });
  await harness.send('order-1', { cents: 0 }, { type: 'order.paid' });
  await reached; // the handler has run, and nobody has heard what it answered
  await harness.crashAndRestart();
  await harness.settled();
  expect(sent).toEqual(['order-1', 'order-1']);
});

afterEach(() => void sent.splice(0));

test('what the README shows is what is run here', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const here = readFileSync(new URL(import.meta.url), 'utf8');
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map((found) => found[1]!);
  // An app that listens on HTTP is in the harness's own spec.
  const run = examples.filter((example) => !example.includes('createNestApplication'));
  expect(run.length).toBeGreaterThan(4);
  for (const example of run) expect(here).toContain(example);
});

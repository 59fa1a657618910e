import {
  memory,
  MessageHandler,
  MississippiModule,
  PublishTimeoutError,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { closeApps, Gate, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

/** An app with room for one message, whose handler waits for the test. */
async function fullApp(publishTimeout?: number) {
  const gate = new Gate();
  const seen: unknown[] = [];
  @MessageHandler()
  class Waiting implements DataUpdaterHandler {
    async handleMessage(payload: unknown): Promise<void> {
      seen.push(payload);
      await gate.promise;
    }
  }
  const transport = memory({ capacity: 1 });
  const options = { transport, ...(publishTimeout === undefined ? {} : { publishTimeout }) };
  const app = await startApp({ imports: [MississippiModule.forRoot(options)], providers: [Waiting] });
  const [producer, service] = [producerOf(app), serviceOf(app)];
  await producer.publish(0, { shardingKey: 'k' });
  return { app, gate, seen, producer, service, transport };
}

test('publish waits while the embedded transport is full, and goes on when there is room', async () => {
  const { gate, seen, producer, service, transport } = await fullApp();
  const published: number[] = [];
  const calls = [1, 2, 3].map((payload) =>
    producer.publish(payload, { shardingKey: 'k' }).then(() => published.push(payload)),
  );
  await service.handleSignal('other', 'x').catch(() => undefined);
  expect(published).toEqual([]);
  expect(transport.broker.length).toBe(1);
  gate.resolve();
  await Promise.all(calls);
  expect(published).toEqual([1, 2, 3]);
  while (seen.length < 4) await next(service, 'handled');
  expect(seen).toEqual([0, 1, 2, 3]);
});

test('after the time-out of the call it rejects, and the message was not sent', async () => {
  const { gate, seen, producer, service } = await fullApp();
  const error: unknown = await producer
    .publish('late', { shardingKey: 'k', timeout: 5 })
    .catch((error: unknown) => error);
  expect(error).toBeInstanceOf(PublishTimeoutError);
  expect(error).toMatchObject({ code: 'publish_timeout', sent: false });
  expect((error as Error).message).toContain('was not taken within 5 ms and was not sent');
  const second = producer.publish('second', { shardingKey: 'k' });
  gate.resolve();
  await second;
  while (seen.length < 2) await next(service, 'handled');
  expect(seen).toEqual([0, 'second']);
});

test('publishTimeout of the module is the default', async () => {
  const { gate, producer } = await fullApp(5);
  await expect(producer.publish('late', { shardingKey: 'k' })).rejects.toThrow('within 5 ms');
  const patient = producer.publish('patient', { shardingKey: 'k', timeout: Infinity });
  gate.resolve();
  await patient;
});

test('a broker that is blocked takes nothing, but goes on delivering', async () => {
  const { gate, producer, service, transport } = await fullApp();
  transport.broker.block();
  const handled = next(service, 'handled');
  gate.resolve();
  await handled;
  await expect(producer.publish('x', { shardingKey: 'k', timeout: 5 })).rejects.toThrow(PublishTimeoutError);
  const waiting = producer.publish('x', { shardingKey: 'k' });
  transport.broker.unblock();
  await waiting;
});

test.each([-1, NaN, '5', null])('a time-out of %p is refused, not taken for another', async (timeout) => {
  const { gate, producer } = await fullApp();
  await expect(producer.publish('x', { shardingKey: 'k', timeout: timeout as number })).rejects.toMatchObject({
    code: 'invalid_message',
    message: expect.stringContaining('timeout'),
  });
  gate.resolve();
});

import {
  DataUpdaterService,
  EventsProducer,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  InjectEventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  PublishTimeoutError,
  type DataUpdaterHandler,
  type MessageContext,
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

/** Each message with steps left publishes the next one, of another key, before it ends. */
@MessageHandler()
class Chain implements DataUpdaterHandler<unknown, { left: number }> {
  readonly seen: string[] = [];
  constructor(private readonly producer: EventsProducer) {}

  async handleMessage({ left }: { left: number }, _state: unknown, { key }: MessageContext): Promise<void> {
    this.seen.push(`${key} ${left}`);
    await Promise.resolve();
    if (left > 0) await this.producer.publish({ left: left - 1 }, { shardingKey: key === 'a' ? 'b' : 'a' });
  }
}

test('a handler that publishes does not wait for room that only its own end makes', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ capacity: 1 }), publishTimeout: Infinity })],
    providers: [Chain],
  });
  await producerOf(app).publish({ left: 3 }, { shardingKey: 'a' });
  const { seen } = app.get(Chain);
  while (seen.length < 4) await next(serviceOf(app), 'handled');
  expect(seen).toEqual(['a 3', 'b 2', 'a 1', 'b 0']);
});

test('what waits of the same key goes before what a handler publishes', async () => {
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport: memory({ capacity: 1 }), publishTimeout: Infinity })],
    providers: [Chain],
  });
  const producer = producerOf(app);
  await Promise.all([
    producer.publish({ left: 1 }, { shardingKey: 'a' }),
    producer.publish({ left: 0 }, { shardingKey: 'c' }),
    producer.publish({ left: 5 }, { shardingKey: 'b' }),
  ]);
  const { seen } = app.get(Chain);
  while (seen.length < 9) await next(serviceOf(app), 'handled');
  expect(seen.filter((text) => text.startsWith('b')).slice(0, 2)).toEqual(['b 5', 'b 0']);
});

test('neither does one that got the producer some other way', async () => {
  const outside: { producer?: EventsProducer } = {};
  const seen: unknown[] = [];
  @MessageHandler()
  class Outsider implements DataUpdaterHandler<unknown, number> {
    async handleMessage(left: number): Promise<void> {
      seen.push(left);
      await Promise.resolve();
      if (left > 0) await outside.producer!.publish(left - 1, { shardingKey: `k${left}` });
    }
  }
  const options = { transport: memory({ capacity: 1 }), publishTimeout: Infinity };
  const app = await startApp({ imports: [MississippiModule.forRoot(options)], providers: [Outsider] });
  outside.producer = producerOf(app);
  await outside.producer.publish(3, { shardingKey: 'k' });
  while (seen.length < 4) await next(serviceOf(app), 'handled');
  expect(seen).toEqual([3, 2, 1, 0]);
});

test('a handler of another instance waits for room as everybody does', async () => {
  const gate = new Gate();
  const published: number[] = [];
  @MessageHandler({ instance: 'source' })
  class Source implements DataUpdaterHandler<unknown, number> {
    constructor(@InjectEventsProducer('sink') private readonly producer: EventsProducer) {}
    async handleMessage(n: number): Promise<void> {
      await this.producer.publish(n, { shardingKey: `k${n}` });
      published.push(n);
    }
  }
  @MessageHandler({ instance: 'sink' })
  class Sink implements DataUpdaterHandler {
    async handleMessage(): Promise<void> {
      await gate.promise;
    }
  }
  const sink = memory({ capacity: 2 });
  const app = await startApp({
    imports: [
      MississippiModule.forRoot({ name: 'source', transport: memory() }),
      MississippiModule.forRoot({ name: 'sink', transport: sink, publishTimeout: Infinity }),
    ],
    providers: [Source, Sink],
  });
  const producer = app.get<EventsProducer>(getEventsProducerToken('source'));
  for (let n = 0; n < 5; n++) await producer.publish(n, { shardingKey: `k${n}` });
  const service = app.get<DataUpdaterService>(getDataUpdaterServiceToken('source'));
  while (published.length < 2) await next(service, 'handled');
  expect(sink.broker.length).toBe(2);
  gate.resolve();
  while (published.length < 5) await next(service, 'handled');
});

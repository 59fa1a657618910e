import { Controller, Inject, Param, Post } from '@nestjs/common';
import {
  ack,
  DataUpdaterService,
  EventsProducer,
  MessageHandler,
  memoryStore,
  type CallbackContext,
  type MessageContext,
} from '@mississippi/core';
import { SpanKind, trace } from '@opentelemetry/api';
import { closeApps, startTracedApp } from './support/traced-app.js';
import { TestSdk } from './support/test-sdk.js';

afterEach(async () => {
  await closeApps();
  TestSdk.unregister();
});

/** The app's own. */
const tracer = () => trace.getTracer('app');

/** As an instrumentation of HTTP does. */
function requestSpans(
  request: { readonly method: string },
  response: { once(event: 'finish', then: () => void): void },
  next: () => void,
): void {
  tracer().startActiveSpan(request.method, { root: true, kind: SpanKind.SERVER }, (span) => {
    response.once('finish', () => span.end());
    next();
  });
}

/** An order is reserved, which is published, and the customer is asked by a signal. */
@MessageHandler()
class Orders {
  static done: () => void = () => undefined;

  constructor(
    @Inject(EventsProducer) private readonly producer: EventsProducer,
    @Inject(DataUpdaterService) private readonly dataUpdaters: DataUpdaterService,
  ) {}

  init(): number {
    return 0;
  }

  async handleMessage(event: string, count: number, context: MessageContext) {
    if (event === 'reserved') {
      Orders.done();
      return ack(count + 1);
    }
    await tracer().startActiveSpan('select', async (span) => {
      await Promise.resolve();
      span.end();
    });
    await this.dataUpdaters.handleSignal('customer', 'ask', { name: 'credit' });
    if (event === 'committed') context.publish('reserved', { shardingKey: 'stock' });
    else await this.producer.publish('reserved', { shardingKey: 'stock' });
    return ack(count + 1);
  }

  handleSignal(_signal: unknown, _count: number, _context: CallbackContext): string {
    tracer().startSpan('look up').end();
    return 'yes';
  }
}

@Controller('orders')
class OrdersController {
  constructor(@Inject(EventsProducer) private readonly producer: EventsProducer) {}

  @Post(':event')
  async place(@Param('event') event: string): Promise<void> {
    await this.producer.publish(event, { shardingKey: 'order' });
  }
}

/** Posts one event. Resolves when what follows from it is done, and all spans have ended. */
async function post(event: string, options: Parameters<typeof startTracedApp>[1] = {}): Promise<TestSdk> {
  const sdk = new TestSdk().register();
  const done = new Promise<void>((resolve) => (Orders.done = resolve));
  const app = await startTracedApp(
    Orders,
    options,
    {},
    {
      controllers: [OrdersController],
      prepare: (one) => one.use(requestSpans),
    },
  );
  await app.listen(0, '127.0.0.1');
  await fetch(`${await app.getUrl()}/orders/${event}`, { method: 'POST' });
  await done;
  await closeApps();
  expect(sdk.running).toEqual([]);
  return sdk;
}

test('a request, its message, what the handler does, publishes and asks are one tree', async () => {
  const sdk = await post('placed');
  expect(sdk.trees).toEqual([
    'POST (SERVER)',
    '  publish mississippi_{shard} (PRODUCER)',
    '    init mississippi_{shard} (INTERNAL)',
    '    process mississippi_{shard} (CONSUMER)',
    '      select (INTERNAL)',
    '      signal mississippi_{shard} (PRODUCER)',
    '        init mississippi_{shard} (INTERNAL)',
    '        answer mississippi_{shard} (CONSUMER)',
    '          look up (INTERNAL)',
    '      publish mississippi_{shard} (PRODUCER)',
    '        init mississippi_{shard} (INTERNAL)',
    '        process mississippi_{shard} (CONSUMER)',
  ]);
  expect(new Set(sdk.spans.map((span) => span.spanContext().traceId)).size).toBe(1);
});

test('so they are with a store, where the message leaves with the commit', async () => {
  const sdk = await post('committed', { store: memoryStore() });
  expect(sdk.trees).toEqual([
    'POST (SERVER)',
    '  create mississippi_{shard} (PRODUCER)',
    '    publish mississippi_{shard} (CLIENT)',
    '    init mississippi_{shard} (INTERNAL)',
    '    process mississippi_{shard} (CONSUMER)',
    '      select (INTERNAL)',
    '      signal mississippi_{shard} (PRODUCER)',
    '        init mississippi_{shard} (INTERNAL)',
    '        answer mississippi_{shard} (CONSUMER)',
    '          look up (INTERNAL)',
    '      create mississippi_{shard} (PRODUCER)',
    '        publish mississippi_{shard} (CLIENT)',
    '        init mississippi_{shard} (INTERNAL)',
    '        process mississippi_{shard} (CONSUMER)',
  ]);
  const [created, relayed] = [sdk.named('create mississippi_{shard}'), sdk.named('publish mississippi_{shard}')];
  for (const index of [0, 1]) {
    expect(relayed[index]!.links.map(({ context }) => context.spanId)).toEqual([created[index]!.spanContext().spanId]);
  }
});

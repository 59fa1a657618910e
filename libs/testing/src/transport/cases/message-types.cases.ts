import assert from 'node:assert/strict';
import {
  ack,
  DataUpdaterService,
  EventsProducer,
  MessageHandler,
  MississippiModule,
  OnMessage,
  type MessageContext,
} from '@mississippi/core';
import { NestFactory } from '@nestjs/core';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Stage } from '../stage.js';

const KEY = 'the key';

/** What the handlers of a case saw, in order: the method, the payload and the type. */
type Seen = [method: string, payload: unknown, type: string | undefined][];

/** Messages find the method of their type, whichever way they came. */
export const messageTypesCases: readonly ConformanceCase[] = [
  conformanceCase('a message goes to the method of its type, with the one state of its key', {}, async (stage) => {
    const seen: Seen = [];
    await withApp(stage, newHandler(seen), async ({ service, producer }) => {
      const three = nextOf(service, 'handled', 3);
      for (const [payload, type] of [
        [1, 'created'],
        [2, 'ünknown'],
        [3, 'created'],
      ] as const) {
        await producer.publish(payload, { shardingKey: KEY, type });
      }
      await stage.journal.settled('three messages to be handled', three);
    });
    assert.deepStrictEqual(seen, [
      ['created after 0', 1, 'created'],
      ['other after 1', 2, 'ünknown'],
      ['created after 2', 3, 'created'],
    ]);
  }),

  conformanceCase(
    'a message whose type nobody claims waits in the side queue, in order, for an owner that does',
    {},
    async (stage) => {
      const seen: Seen = [];
      await withApp(stage, oldHandler(seen), async ({ service, producer }) => {
        const parked = nextOf(service, 'parked', 1);
        await producer.publish(1, { shardingKey: KEY, type: 'ünknown' });
        await stage.journal.settled('the key to be parked', parked);
        await producer.publish(2, { shardingKey: KEY, type: 'created' });
      });
      assert.deepStrictEqual(seen, []);
      await withApp(stage, newHandler(seen), async (_app, handled) => {
        await stage.journal.settled('two messages to be handled', handled);
      });
      assert.deepStrictEqual(seen, [
        ['other after 0', 1, 'ünknown'],
        ['created after 1', 2, 'created'],
      ]);
      assert.equal((await stage.harness.deadLetters()).length, 0);
    },
  ),
];

interface App {
  readonly service: DataUpdaterService;
  readonly producer: EventsProducer;
}

/** @param body gets the app once it has started, and what resolves when two messages are handled, counted from its start */
async function withApp(
  stage: Stage,
  handler: new () => object,
  body: (app: App, handled: Promise<void>) => Promise<void>,
): Promise<void> {
  class TypedModule {}
  const { totalCount, prefetch } = stage.options;
  const transport = {
    name: 'conformance',
    connect: () => stage.harness.open({ totalCount, prefetch, producerOnly: false }),
  };
  const module = {
    module: TypedModule,
    imports: [MississippiModule.forRoot({ transport, drainTimeout: 100 })],
    providers: [handler, { provide: 'handled', useFactory: twoHandled, inject: [DataUpdaterService] }],
  };
  const starting = NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const app = await stage.journal.settled('an app to start', starting);
  try {
    const { handled } = app.get<{ handled: Promise<void> }>('handled');
    await body({ service: app.get(DataUpdaterService), producer: app.get(EventsProducer) }, handled);
  } finally {
    await stage.journal.settled('an app to close', app.close());
  }
}

/** Listens from before the start on. In an object, since Nest would wait for a promise. */
function twoHandled(service: DataUpdaterService): { handled: Promise<void> } {
  return { handled: nextOf(service, 'handled', 2) };
}

function nextOf(service: DataUpdaterService, type: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    const subscription = service.events.subscribe((event) => {
      if (event.type !== type || --count > 0) return;
      subscription.unsubscribe();
      resolve();
    });
  });
}

/** A handler that has a method for one type. */
function oldHandler(seen: Seen): new () => object {
  @MessageHandler()
  class OldHandler {
    init(): number {
      return 0;
    }

    @OnMessage('created')
    created(payload: unknown, state: number, { type }: MessageContext) {
      seen.push([`created after ${state}`, payload, type]);
      return ack(state + 1);
    }
  }
  return OldHandler;
}

/** One that has a method for all others too. */
function newHandler(seen: Seen): new () => object {
  @MessageHandler()
  class NewHandler extends oldHandler(seen) {
    @OnMessage()
    other(payload: unknown, state: number, { type }: MessageContext) {
      seen.push([`other after ${state}`, payload, type]);
      return ack(state + 1);
    }
  }
  return NewHandler;
}

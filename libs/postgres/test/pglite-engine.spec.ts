import { PGlite } from '@electric-sql/pglite';
import {
  ack,
  memory,
  MessageHandler,
  MississippiModule,
  DataUpdaterService,
  EventsProducer,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import { Inject, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { postgres, type SqlClient } from '../src/index.js';

interface Count {
  readonly done: readonly string[];
}

/** Each message writes a row of its own, and the last one asks what its transaction would hold up. */
@MessageHandler()
@Injectable()
class RowHandler implements DataUpdaterHandler<Count, string> {
  readonly refusals: unknown[] = [];

  @Inject(DataUpdaterService) private readonly keys!: DataUpdaterService;
  @Inject(EventsProducer) private readonly producer!: EventsProducer;

  init(): Count {
    return { done: [] };
  }

  async handleMessage(payload: string, state: Count, context: MessageContext) {
    const client = await context.transaction<SqlClient>();
    await client.query('INSERT INTO mine VALUES ($1)', [`${context.key} ${payload}`]);
    if (payload === 'asks') {
      const calls = [
        this.keys.handleSignal('other', undefined),
        this.producer.publish('more', { shardingKey: 'other' }),
        this.keys.state('other'),
      ];
      for (const call of calls) this.refusals.push(await call.catch((error: unknown) => error));
    }
    return ack({ done: [...state.done, payload] });
  }

  handleSignal(_signal: unknown, state: Count) {
    return state.done.length;
  }
}

test('transactions of many keys, commits and publishing share the one session of a PGlite', async () => {
  const pglite = await PGlite.create();
  await pglite.exec('CREATE TABLE mine (text text)');
  const testing = await Test.createTestingModule({
    imports: [MississippiModule.forRoot({ transport: memory({ totalCount: 2 }), store: postgres({ pglite }) })],
    providers: [RowHandler],
  }).compile();
  const app = await testing.init();
  try {
    const [producer, keys] = [app.get(EventsProducer), app.get(DataUpdaterService)];
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(
      names.flatMap((key) => ['1', '2', '3'].map((payload) => producer.publish(payload, { shardingKey: key }))),
    );
    await producer.publish('asks', { shardingKey: 'a' });
    const expected = { done: ['1', '2', '3'] };
    for (;;) {
      const states = await Promise.all(names.map((name) => keys.state<Count>(name)));
      if (states.every((state, index) => state?.done.length === (index === 0 ? 4 : 3))) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await keys.state('b')).toEqual(expected);
    expect((await pglite.query('SELECT text FROM mine')).rows).toHaveLength(19);
    const codes = app.get(RowHandler).refusals.map((error) => (error as { code?: string }).code);
    expect(codes).toEqual(['store_held', 'store_held', 'store_held']);
  } finally {
    await app.close();
    await pglite.close();
  }
}, 60_000);

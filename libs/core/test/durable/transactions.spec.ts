import { discard, type MemoryStoreClient, type MessageContext } from '../../src/index.js';
import { shardOf } from '../../src/keys/sharding-key.js';
import { databaseOf } from '../../src/store/memory/memory-store-database.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { Gates } from '../support/recording-handler.js';

type Script = (payload: string, client: MemoryStoreClient, context: MessageContext) => unknown;

/** Adds the payload to the state, and writes it in the message's transaction. */
function writing(script: Script = () => undefined) {
  return {
    ...ledger,
    async handleMessage(payload: string, state: Ledger, context: MessageContext) {
      state.ids.push(payload);
      const client = await context.transaction<MemoryStoreClient>();
      await client.set(payload, `${(await client.get(payload)) ?? ''}${context.attempt}`);
      return (await script(payload, client, context)) as undefined;
    },
  };
}

describe('a transaction of a handler', () => {
  test('commits with its message', async () => {
    const world = new World();
    const { send } = await world.start(writing());
    await send('k', 'a', 'b');
    expect([...world.database.values]).toEqual([
      ['a', '1'],
      ['b', '1'],
    ]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(world.broker.length).toBe(0);
  });

  test('does not wait for those of other shards, which have connections of their own', async () => {
    const world = new World({ totalCount: 64 });
    const { publish, store } = await world.start(writing());
    const held = Array.from({ length: 8 }, (_, index) => store.hold('commitTransaction', index + 1));
    const byShard = new Map(
      Array.from({ length: 50 }, (_, index) => `key ${index}`).map((key) => [shardOf(key, { totalCount: 64 }), key]),
    );
    const keys = [...byShard.values()].slice(0, 8);
    for (const key of keys) await publish(key, key, { messageId: key });
    await rest();
    expect(store.calls.filter((call) => call === 'commitTransaction')).toHaveLength(8);
    for (const one of held) one.release();
    await rest();
    expect(world.database.values).toHaveProperty('size', 8);
  });

  test('begins after what is uncommitted of its key', async () => {
    const world = new World();
    const { send, store } = await world.start({
      ...ledger,
      async handleMessage(payload: string, state: Ledger, context: MessageContext) {
        state.ids.push(payload);
        if (payload === 'b') await context.transaction();
      },
    });
    const held = store.hold('commit');
    await send('k', 'a', 'b');
    expect(store.calls).not.toContain('begin');
    held.release();
    await rest();
    expect(store.calls.filter((call) => call.startsWith('c') || call === 'begin')).toEqual([
      'connect',
      'commit',
      'begin',
      'commitTransaction',
    ]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('writes nothing when the handler throws', async () => {
    const world = new World();
    const { send, clock } = await world.start(
      writing((_payload, _client, { attempt }) => {
        if (attempt === 1) throw new Error('struck');
      }),
    );
    await send('k', 'a');
    expect(world.database.values.size).toBe(0);
    await clock.advance(60_000);
    await rest();
    expect([...world.database.values]).toEqual([['a', '2']]);
  });

  test('commits with a discard', async () => {
    const world = new World();
    const { send } = await world.start(writing(() => discard('no')));
    await send('k', 'a');
    expect([...world.database.values]).toEqual([['a', '1']]);
    expect(world.broker.deadLetters).toHaveLength(1);
  });

  test('in which a write failed is a failed attempt, though the handler caught it', async () => {
    const world = new World();
    const { send, of } = await world.start(
      writing((_payload, client) => client.set('x', 1 as never).catch(() => undefined)),
      { failurePolicy: { attempts: 1 } },
    );
    await send('k', 'a');
    for (let n = 0; n < 3; n++) await rest();
    expect(of('exhausted')).toHaveLength(1);
    expect(world.database.values.size).toBe(0);
  });

  test('is destroyed with an attempt that ran over its time, before the next begins', async () => {
    const world = new World();
    const gates = new Gates();
    const clients: MemoryStoreClient[] = [];
    const { send, clock } = await world.start(
      writing((_payload, client, { attempt }) => {
        clients.push(client);
        return attempt === 1 ? gates.at('first') : undefined;
      }),
      { handlerTimeout: 1_000 },
    );
    await send('k', 'a');
    for (let n = 0; n < 5; n++) {
      await clock.advance(2_000);
      await rest();
    }
    expect([...world.database.values]).toEqual([['a', '2']]);
    await expect(clients[0]!.set('late', '1')).rejects.toThrow('The transaction is over');
    gates.open('first', undefined);
    await rest();
    expect([...world.database.values]).toEqual([['a', '2']]);
  });

  test('is destroyed with the shard, and so is what its handler answers', async () => {
    const world = new World();
    const gates = new Gates();
    let runs = 0;
    const { send } = await world.start(writing(() => (runs++ === 0 ? gates.at('first') : undefined)));
    await send('k', 'a');
    world.broker.loseShard(0);
    await rest();
    gates.open('first', undefined);
    await rest();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect([...world.database.values]).toEqual([['a', '1']]);
  });

  test('of a stale epoch rolls back', async () => {
    const world = new World();
    const gates = new Gates();
    let runs = 0;
    const { send, of } = await world.start(writing(() => (runs++ === 0 ? gates.at('first') : undefined)));
    await send('k', 'a');
    databaseOf(world.database).instances.get('default')!.fence(0).open();
    gates.open('first', undefined);
    await rest();
    await rest();
    expect(of('shardLost')).toHaveLength(1);
    expect([...world.database.values]).toEqual([['a', '1']]);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('whose connection broke before its commit runs again, and no attempt is counted', async () => {
    const world = new World();
    const { send, store, clock, of } = await world.start(writing(), { failurePolicy: { attempts: 1 } });
    store.fail('commitTransaction');
    await send('k', 'a');
    for (let n = 0; n < 5; n++) {
      await clock.advance(1_000);
      await rest();
    }
    expect(of('exhausted')).toEqual([]);
    expect([...world.database.values]).toEqual([['a', '1']]);
  });

  test('whose answer was lost is not written twice', async () => {
    const world = new World();
    const { send, store, clock } = await world.start(writing());
    store.loseAnswer('commitTransaction');
    await send('k', 'a');
    await clock.advance(1_000);
    await rest();
    expect([...world.database.values]).toEqual([['a', '1']]);
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.broker.length).toBe(0);
  });

  test('keeps the attempts that its message had when the store was too busy for it', async () => {
    const world = new World();
    const attempts: number[] = [];
    const { send, store, clock, of } = await world.start(
      writing((_payload, _client, { attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error('struck');
      }),
      { failurePolicy: { attempts: 2 } },
    );
    store.busy('commitTransaction');
    await send('k', 'a');
    for (let n = 0; n < 5; n++) {
      await clock.advance(5_000);
      await rest();
    }
    expect(attempts).toEqual([1, 2, 2]);
    expect(of('exhausted')).toEqual([]);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('whose handler failed while the store took no commit counts no attempt', async () => {
    const world = new World();
    const attempts: number[] = [];
    let readOnly = true;
    const { send, store, clock, of } = await world.start(
      writing((_payload, _client, { attempt }) => {
        attempts.push(attempt);
        if (readOnly) throw new Error('cannot execute INSERT in a read-only transaction');
      }),
      { failurePolicy: { attempts: 1 } },
    );
    store.fail('commit', { times: 3 });
    await send('k', 'a', 'b');
    readOnly = false;
    for (let n = 0; n < 5; n++) {
      await clock.advance(1_000);
      await rest();
    }
    expect(attempts).toEqual([1, 1, 1]);
    expect([...of('exhausted'), ...of('deadLettered')]).toEqual([]);
    expect([...world.database.values]).toEqual([
      ['a', '1'],
      ['b', '1'],
    ]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('whose handler failed while the store took commits counts an attempt, and its shard may be lost meanwhile', async () => {
    const world = new World();
    const { send, store, of } = await world.start(
      writing((payload) => {
        if (payload !== 'c') throw new Error('struck');
      }),
      { failurePolicy: { attempts: 1 } },
    );
    await send('k', 'a');
    expect(of('exhausted')).toHaveLength(1);
    const held = store.hold('commit');
    await send('k', 'b');
    world.broker.loseShard(0);
    held.release();
    await rest();
    await rest();
    expect(of('exhausted')).toHaveLength(2);
    await send('k', 'c');
    expect(world.state('k')).toEqual({ ids: ['c'] });
    expect(world.broker.length).toBe(0);
  });

  test('has what its handler asked for and did not wait for', async () => {
    const world = new World();
    const { send } = await world.start(
      writing((_payload, client) => {
        void client.set('one', '1');
        void client.set('two', '2');
      }),
    );
    await send('k', 'a');
    expect([...world.database.values]).toEqual([
      ['a', '1'],
      ['one', '1'],
      ['two', '2'],
    ]);
  });

  test('that holds the only session is named, and others go on when the store has ended it', async () => {
    const world = new World();
    const gates = new Gates();
    const { send, store, clock, logs } = await world.start(
      {
        ...ledger,
        async handleMessage(payload: string, state: Ledger, context: MessageContext) {
          state.ids.push(payload);
          if (payload !== 'a') return;
          await context.transaction();
          await gates.at('hung');
        },
      },
      {},
      (faulty) => (faulty.singleSession = true),
    );
    await send('hung', 'a');
    await send('k', 'b');
    await clock.advance(1_000);
    expect(logs.some((line) => line.includes('transaction of the key "hung"') && line.includes('1000 ms'))).toBe(true);
    expect(world.state('k')).toBeUndefined();
    await store.cut();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['b'] });
    logs.length = 0;
    await clock.advance(60_000);
    expect(logs.filter((line) => line.includes('only session'))).toEqual([]);
  });
});

import { randomBytes } from 'node:crypto';
import {
  InvalidOptionsError,
  memoryStore,
  MemoryStoreDatabase,
  type MemoryStore,
  type MemoryStoreClient,
} from '../../src/index.js';
import type { ShardCommit, StoreConnection } from '../../src/store/index.js';
import { FakeClock } from '../support/fake-clock.js';
import { watch } from '../support/recording-handler.js';
import { storeContext } from '../support/store-context.js';

const KEY = Buffer.from('k');

async function firstCommit(connection: StoreConnection, ttl?: number): Promise<ShardCommit> {
  const { epoch, token: previous } = await connection.openShard(0);
  const states = [{ key: KEY, state: { bytes: Buffer.from('state'), version: 0 }, ttl }];
  const lists = { states, handled: [], outbox: [], sent: [], taken: [], audit: [] };
  return { shard: 0, epoch, number: 1, previous, token: randomBytes(16), ...lists };
}

async function hasState(store: MemoryStore): Promise<boolean> {
  const connection = await store.connect(storeContext());
  const [state] = await connection.load([KEY]);
  return state !== undefined;
}

describe('a store in memory', () => {
  test('has a database of its own, or shares one', async () => {
    const database = new MemoryStoreDatabase();
    const [one, other, apart] = [memoryStore({ database }), memoryStore({ database }), memoryStore()];
    const connection = await one.connect(storeContext());
    await connection.commit([await firstCommit(connection)]);
    await connection.close();
    expect(await hasState(other)).toBe(true);
    expect(await hasState(memoryStore({ database: one.database }))).toBe(true);
    expect(await hasState(apart)).toBe(false);
  });

  test('takes only a database', () => {
    expect(() => memoryStore({ database: {} as never })).toThrow(InvalidOptionsError);
    expect(() => memoryStore({ dataBase: new MemoryStoreDatabase() } as never)).toThrow(InvalidOptionsError);
  });

  test('answers in a later round, as a server does', async () => {
    const connection = await memoryStore().connect(storeContext());
    const load = watch(connection.load([KEY]));
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(load.state).toBe('pending');
    await new Promise((resolve) => setImmediate(resolve));
    expect(load.state).toBe('resolved');
  });

  test('refuses what is still under way when it is closed, which has no effect', async () => {
    const store = memoryStore();
    const connection = await store.connect(storeContext());
    const commit = connection.commit([await firstCommit(connection)]);
    const closing = connection.close();
    await expect(commit).rejects.toThrow('The connection to the store in memory is closed.');
    await closing;
    expect(await hasState(store)).toBe(false);
  });

  test('lets a state outlive its ttl by no millisecond of the clock that the module has', async () => {
    const clock = new FakeClock();
    const connection = await memoryStore().connect(storeContext({ clock }));
    await connection.commit([await firstCommit(connection, 1_000)]);
    await clock.advance(999);
    expect(await connection.load([KEY])).toMatchObject([{ bytes: Buffer.from('state'), version: 0 }]);
    await clock.advance(1);
    expect(await connection.load([KEY])).toEqual([undefined]);
  });
});

describe('its transactions', () => {
  test('see what others have committed, and what they have set themselves', async () => {
    const { database, connection } = await connected();
    const first = await connection.begin!();
    const client = first.client as MemoryStoreClient;
    await client.set('name', 'first');
    const second = await connection.begin!();
    const other = second.client as MemoryStoreClient;
    expect([await client.get('name'), await other.get('name')]).toEqual(['first', undefined]);
    await first.commit(await firstCommit(connection));
    expect(await other.get('name')).toBe('first');
    await other.set('name', 'second');
    expect(await other.get('name')).toBe('second');
    expect(database.values.get('name')).toBe('first');
    await second.abandon();
    expect(Object.fromEntries(database.values)).toEqual({ name: 'first' });
  });

  test('fail by a write of anything but a text, and answer nothing afterwards', async () => {
    const { connection } = await connected();
    const transaction = await connection.begin!();
    const client = transaction.client as MemoryStoreClient;
    await expect(client.set('name', 1 as never)).rejects.toThrow(new TypeError('A name and a text are needed.'));
    await expect(client.get('name')).rejects.toThrow('The transaction has failed.');
    await expect(client.set('name', 'text')).rejects.toThrow('The transaction has failed.');
  });
});

async function connected() {
  const database = new MemoryStoreDatabase();
  return { database, connection: await memoryStore({ database }).connect(storeContext()) };
}

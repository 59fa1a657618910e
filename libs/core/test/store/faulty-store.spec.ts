import {
  CommitRefusedError,
  memoryStore,
  StoreBusyError,
  StoreUnavailableError,
  type MemoryStoreClient,
} from '../../src/index.js';
import type { ShardCommit, StoreConnection } from '../../src/store/index.js';
import { FaultyStore } from '../support/faulty-store.js';
import { watch } from '../support/recording-handler.js';
import { storeContext } from '../support/store-context.js';
import { settled } from '../support/fake-clock.js';

const KEY = Buffer.from('k');

/** A faulty store over one in memory, with shard 0 open. */
async function setUp() {
  const store = new FaultyStore(memoryStore());
  const connection = await store.connect(storeContext());
  const { token } = await connection.openShard(0);
  /** The numbers and tokens of commits are all that tells them apart. */
  const commitOf = (number: number): ShardCommit => ({
    shard: 0,
    epoch: 1,
    number,
    previous: number === 1 ? token : Buffer.alloc(16, number - 1),
    token: Buffer.alloc(16, number),
    states: [{ key: KEY, state: { bytes: Buffer.from(`state ${number}`), version: 0 }, ttl: undefined }],
    handled: [{ key: KEY, messageId: `m${number}`, payloadHash: Buffer.alloc(16), outcome: 'handled', replay: 0 }],
    outbox: [],
    sent: [],
    taken: [],
    audit: [],
  });
  const resolve = (number: number) => connection.resolve({ ...commitOf(number), voidToken: Buffer.alloc(16, 99) });
  return { store, connection, commitOf, resolve };
}

async function stateOf(connection: StoreConnection): Promise<string | undefined> {
  const [state] = await connection.load([KEY]);
  return state && Buffer.from(state.bytes).toString();
}

describe('a faulty store', () => {
  test('is sound until it is told otherwise', async () => {
    const { store, connection, commitOf } = await setUp();
    expect(await connection.commit([commitOf(1)])).toEqual(['committed']);
    expect(await stateOf(connection)).toBe('state 1');
    expect(store.calls).toEqual(['connect', 'openShard', 'commit', 'load']);
  });

  test('fails the n-th call before it has any effect', async () => {
    const { store, connection, commitOf, resolve } = await setUp();
    store.fail('commit', { nth: 2 });
    await connection.commit([commitOf(1)]);
    await expect(connection.commit([commitOf(2)])).rejects.toThrow(StoreUnavailableError);
    expect(connection.status()).toEqual({ connected: false, problem: 'it was not sent' });
    expect(store.pending).toBe(0);
    expect(await stateOf(connection)).toBe('state 1');
    expect(connection.status()).toEqual({ connected: true });
    expect(await resolve(2)).toBe('void');
  });

  test('loses an answer after the effect', async () => {
    const { store, connection, commitOf, resolve } = await setUp();
    store.loseAnswer('commit');
    await expect(connection.commit([commitOf(1)])).rejects.toThrow(StoreUnavailableError);
    expect(await stateOf(connection)).toBe('state 1');
    expect(await resolve(1)).toBe('committed');
  });

  test('holds a call up before it has any effect', async () => {
    const { store, connection, commitOf } = await setUp();
    const held = store.hold('commit');
    const commit = watch(connection.commit([commitOf(1)]));
    await held.reached;
    await settled();
    expect(await stateOf(connection)).toBeUndefined();
    held.release();
    await settled();
    expect(commit).toEqual({ state: 'resolved', value: ['committed'] });
  });

  test('holds an answer up after the effect', async () => {
    const { store, connection, commitOf } = await setUp();
    const held = store.holdAnswer('commit');
    const commit = watch(connection.commit([commitOf(1)]));
    await held.reached;
    expect(await stateOf(connection)).toBe('state 1');
    expect(commit.state).toBe('pending');
    held.release();
    await settled();
    expect(commit.state).toBe('resolved');
  });

  test('is busy a number of times', async () => {
    const { store, connection, commitOf } = await setUp();
    store.busy('commit', { times: 2 });
    await expect(connection.commit([commitOf(1)])).rejects.toThrow(StoreBusyError);
    await expect(connection.commit([commitOf(1)])).rejects.toThrow(StoreBusyError);
    expect(await connection.commit([commitOf(1)])).toEqual(['committed']);
  });

  test('refuses groups with a bad message or key, until that ends', async () => {
    const { store, connection, commitOf } = await setUp();
    const ends = [store.refuseMessage('m1'), store.refuseKey(KEY)];
    for (const end of ends) {
      await expect(connection.commit([commitOf(1)])).rejects.toThrow(CommitRefusedError);
      end();
    }
    expect(await connection.commit([commitOf(1)])).toEqual(['committed']);
  });

  test('is away for a while', async () => {
    const { store, connection } = await setUp();
    store.goAway();
    await expect(connection.load([KEY])).rejects.toThrow(StoreUnavailableError);
    expect(connection.status()).toEqual({ connected: false, problem: 'the store is away' });
    store.comeBack();
    expect(await stateOf(connection)).toBeUndefined();
    expect(connection.status()).toEqual({ connected: true });
  });

  test('breaks its connections: what was under way may still arrive', async () => {
    const { store, connection, commitOf } = await setUp();
    const held = store.hold('commit');
    const commit = watch(connection.commit([commitOf(1)]));
    await held.reached;
    await store.cut();
    await settled();
    expect(commit.value).toBeInstanceOf(StoreUnavailableError);
    held.release();
    await settled();
    expect(await stateOf(connection)).toBe('state 1');
  });

  test('breaks transactions too', async () => {
    const { store, connection, commitOf } = await setUp();
    const transaction = await connection.begin!();
    const client = transaction.client as MemoryStoreClient;
    await client.set('name', 'value');
    await store.cut();
    await expect(client.get('name')).rejects.toThrow('The transaction is over');
    await expect(transaction.commit(commitOf(1))).rejects.toThrow(StoreUnavailableError);
    expect(await stateOf(connection)).toBeUndefined();
  });
});

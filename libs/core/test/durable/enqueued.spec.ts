import { jest } from '@jest/globals';
import { ShardCommits } from '../../src/engine/commits/shard-commits.js';
import { ack, memoryStore, MemoryStoreDatabase, NoStoreError, type MessageContext } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { startEngine } from '../support/test-engine.js';

/** How often enqueued messages are looked for, and more. Milliseconds. */
const A_LOOK = 300;

interface Seen {
  readonly ids: readonly string[];
}

const handler = {
  init: (): Seen => ({ ids: [] }),
  handleMessage: (_payload: unknown, state: Seen, { messageId }: MessageContext) =>
    ack({ ids: [...state.ids, messageId!] }),
};

async function start(database = new MemoryStoreDatabase()) {
  const engine = await startEngine(handler as never, { store: memoryStore({ database }) });
  await settled();
  return { database, ...engine };
}

describe('publish with a transaction of the caller’s', () => {
  test('the message exists when that commits, and leaves once, in order', async () => {
    const { database, publish, service, clock } = await start();
    const transaction = database.begin();
    await publish('k', 1, { messageId: 'a', transaction });
    await publish('k', 2, { messageId: 'b', transaction });
    await clock.advance(A_LOOK);
    expect(await service.state('k')).toBeUndefined();
    await transaction.commit();
    await clock.advance(A_LOOK);
    await clock.advance(1);
    expect(await service.state('k')).toEqual({ ids: ['a', 'b'] });
    await clock.advance(10 * A_LOOK);
    expect(await service.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('of one that rolls back nothing is left', async () => {
    const { database, publish, service, clock } = await start();
    const transaction = database.begin();
    await publish('k', 1, { messageId: 'a', transaction });
    await transaction.rollback();
    await publish('k', 2, { messageId: 'b' });
    await clock.advance(A_LOOK);
    await clock.advance(1);
    expect(await service.state('k')).toEqual({ ids: ['b'] });
  });

  test('leaves nothing behind in memory', async () => {
    const { database, publish, clock } = await start();
    const whenOver = jest.spyOn(ShardCommits.prototype, 'whenOver');
    for (const messageId of ['a', 'b', 'c']) {
      const transaction = database.begin();
      await publish('k', 1, { messageId, transaction });
      await transaction.commit();
      await clock.advance(A_LOOK);
      await clock.advance(1);
    }
    expect(whenOver.mock.contexts).toHaveLength(3);
    const listeners = whenOver.mock.contexts.map(
      (commits) => Reflect.get(commits as object, 'listeners') as Set<unknown>,
    );
    expect(listeners.map(({ size }) => size)).toEqual([0, 0, 0]);
    whenOver.mockRestore();
  });

  test('what committed while nobody consumed is there at the next start', async () => {
    const first = await start();
    const transaction = first.database.begin();
    await first.publish('k', 1, { messageId: 'a', transaction });
    await first.engine.stop();
    await transaction.commit();
    const { service, clock } = await start(first.database);
    await clock.advance(A_LOOK);
    await clock.advance(1);
    expect(await service.state('k')).toEqual({ ids: ['a'] });
  });

  test('without a store it is refused by name', async () => {
    const { publish } = await startEngine(handler as never);
    await expect(publish('k', 1, { transaction: {} })).rejects.toThrow(NoStoreError);
  });
});

describe('the embedded transport with a store', () => {
  test('what was published and not handled is handled after a restart, in order', async () => {
    const database = new MemoryStoreDatabase();
    const stuck = await startEngine(
      { ...handler, handleMessage: () => new Promise<never>(() => undefined) },
      { store: memoryStore({ database }), drainTimeout: 1 },
    );
    await settled();
    for (const id of ['a', 'b', 'c']) {
      const taken = stuck.publish('k', 1, { messageId: id });
      await stuck.clock.advance(1);
      await taken;
    }
    await stuck.engine.connection().close();
    const stopped = stuck.engine.stop();
    await stuck.clock.advance(10_000);
    await stopped;
    const { service, clock } = await start(database);
    await clock.advance(A_LOOK);
    await clock.advance(1);
    expect(await service.state('k')).toEqual({ ids: ['a', 'b', 'c'] });
    await clock.advance(A_LOOK);
  });

  test('a second process is refused', async () => {
    const { database } = await start();
    await expect(start(database)).rejects.toMatchObject({ code: 'store_in_use' });
  });
});

test('a key is forgotten in its turn, and starts afresh', async () => {
  const { publish, service, clock } = await start();
  await publish('k', 1, { messageId: 'a' });
  await clock.advance(1);
  await service.forget('k');
  expect(await service.state('k')).toBeUndefined();
  await publish('k', 1, { messageId: 'b' });
  await clock.advance(1);
  expect(await service.state('k')).toEqual({ ids: ['b'] });
});

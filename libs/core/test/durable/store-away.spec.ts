import { jest } from '@jest/globals';
import { memory, memoryStore, NotStartedError, StoreUnavailableError } from '../../src/index.js';
import { Engine } from '../../src/engine/engine.js';
import { resolveOptions } from '../../src/mississippi.options.js';
import { FakeClock } from '../support/fake-clock.js';
import { FaultyStore } from '../support/faulty-store.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { Gates, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

describe('while the store is away', () => {
  test('nothing fails, is moved or is settled, and everything goes on when it is back', async () => {
    const world = new World();
    const { send, store, clock, of, logs } = await world.start(ledger, { prefetch: 10, pressureAge: 1_000 });
    await send('k', 'a');
    store.goAway();
    await send('k', 'b', 'c');
    await send('l', 'd');
    for (let n = 0; n < 10; n++) {
      await clock.advance(10_000);
      await rest();
    }
    expect([...of('startFailed'), ...of('retried'), ...of('parked'), ...of('shardLost')]).toEqual([]);
    expect(world.broker.length).toBe(3);
    expect(logs.filter((line) => line.includes('The store does not answer')).length).toBeGreaterThan(0);
    store.comeBack();
    await clock.advance(10_000);
    await rest();
    await clock.advance(10_000);
    await rest();
    expect([world.state('k'), world.state('l')]).toEqual([{ ids: ['a', 'b', 'c'] }, { ids: ['d'] }]);
    expect(world.broker.length).toBe(0);
  });

  test('a key that fails is not moved either', async () => {
    const world = new World();
    const gates = new Gates();
    const { send, store, of } = await world.start(
      { ...ledger, handleMessage: (payload: string) => (payload === 'b' ? gates.at('b') : undefined) },
      { prefetch: 4 },
    );
    await send('k', 'b', 'c', 'd');
    store.goAway();
    await send('l', 'x');
    gates.fail('b', new Error('struck'));
    await rest();
    expect(of('retried')).toHaveLength(1);
    expect(of('parked')).toEqual([]);
    expect(world.broker.parkedCount(0)).toBe(0);
  });

  test('shards are given back after a third of the delivery time-out, and opened when it answers', async () => {
    const world = new World();
    const { send, store, clock, of } = await world.start(ledger, { deliveryTimeout: 90_000, handlerTimeout: 10_000 });
    store.goAway();
    await send('k', 'a');
    await clock.advance(29_000);
    expect(of('shardLost')).toEqual([]);
    await clock.advance(2_000);
    expect(of('shardLost')).toHaveLength(1);
    store.comeBack();
    await clock.advance(10_000);
    await rest();
    expect(of('shardOwned')).toHaveLength(2);
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.broker.length).toBe(0);
  });

  test('a store that answers and takes no commit is away too, and its shards are given back', async () => {
    const world = new World();
    const { send, store, clock, engine, of, logs } = await world.start(ledger, {
      deliveryTimeout: 90_000,
      handlerTimeout: 10_000,
    });
    store.fail('commit', { times: 20 }, new StoreUnavailableError('cannot execute UPDATE in a read-only transaction'));
    await send('k', 'a');
    await clock.advance(5_000);
    await send('l', 'b'); // The inbox and the state are asked, and answer.
    expect(store.calls.at(-1)).not.toBe('commit');
    expect(engine.status().store).toMatchObject({ connected: false, problem: expect.stringContaining('read-only') });
    expect(logs.filter((line) => line.includes('answers again'))).toEqual([]);
    for (let n = 0; n < 6; n++) {
      await clock.advance(5_000);
      await rest();
    }
    expect(of('shardLost')).toHaveLength(1);
    for (let n = 0; n < 30; n++) {
      await clock.advance(5_000);
      await rest();
    }
    expect(store.pending).toBe(0);
    expect(engine.status().store).toMatchObject({ connected: true });
    expect([world.state('k'), world.state('l')]).toEqual([{ ids: ['a'] }, { ids: ['b'] }]);
  });

  test('the log is told of its return only where it was told of its absence', async () => {
    const world = new World();
    const { send, store, clock, logs } = await world.start(ledger);
    for (const id of ['a', 'b', 'c', 'd']) {
      store.fail('commit');
      await send('k', id);
      await clock.advance(1_000);
      await rest();
    }
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c', 'd'] });
    expect(logs.filter((line) => line.includes('does not answer'))).toHaveLength(1);
    expect(logs.filter((line) => line.includes('answers again'))).toHaveLength(1);
  });

  test('the end of the process waits no longer than it may', async () => {
    const world = new World();
    const { send, store, clock, engine } = await world.start(ledger, { drainTimeout: 5_000 });
    store.fail('commit', { times: 1_000 });
    store.fail('resolve', { times: 1_000 });
    await send('k', 'a');
    const stopped = watch(engine.stop());
    await clock.advance(4_000);
    expect(stopped.state).toBe('pending');
    for (let n = 0; n < 5; n++) {
      await clock.advance(1_000);
      await rest();
    }
    expect(stopped.state).toBe('resolved');
    expect(world.broker.length).toBe(1);
    expect(world.state('k')).toBeUndefined();
  });

  test('a transaction that is asked for counts no attempt, however long it takes', async () => {
    const world = new World();
    const { send, store, clock, of } = await world.start(
      {
        ...ledger,
        async handleMessage(payload: string, state: Ledger, context: { transaction(): Promise<unknown> }) {
          if (payload === 'b') await context.transaction();
          state.ids.push(payload);
        },
      },
      { handlerTimeout: 1_000, failurePolicy: { attempts: 1 } },
    );
    await send('k', 'a');
    const held = store.hold('begin');
    await send('k', 'b');
    store.goAway();
    held.release();
    for (let n = 0; n < 5; n++) {
      await clock.advance(5_000);
      await rest();
    }
    store.comeBack();
    for (let n = 0; n < 5; n++) {
      await clock.advance(5_000);
      await rest();
    }
    expect([...of('exhausted'), ...of('deadLettered')]).toEqual([]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });
});

describe('a drain', () => {
  test('waits for what is not committed yet', async () => {
    const world = new World();
    const { send, store, engine } = await world.start(ledger);
    const held = store.hold('commit');
    await send('k', 'a');
    const stopped = watch(engine.stop());
    await rest();
    expect(stopped.state).toBe('pending');
    held.release();
    await rest();
    expect(stopped.state).toBe('resolved');
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.broker.length).toBe(0);
  });
});

describe('at the start', () => {
  test('a store that cannot be reached fails it at once', async () => {
    const store = new FaultyStore(memoryStore());
    store.goAway();
    await expect(startEngine(ledger, { store })).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  test('it is waited for as long as it is told to', async () => {
    const store = new FaultyStore(memoryStore());
    const clock = new FakeClock();
    store.goAway();
    const warn = jest.fn();
    const logger = { log: () => undefined, warn, error: () => undefined };
    const started = watch(startEngine(ledger, { store, clock, logger, storeStartTimeout: 10_000 }));
    await clock.advance(5_000);
    expect(started.state).toBe('pending');
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/cannot be reached yet.*the store is away/)]]);
    store.comeBack();
    await clock.advance(1_000);
    await rest();
    expect(started.state).toBe('resolved');
  });

  test('an end of the process meanwhile leaves no connection', async () => {
    const store = new FaultyStore(memoryStore());
    const clock = new FakeClock();
    const transport = memory();
    const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
    const engine = new Engine({
      options: resolveOptions('default', { storeStartTimeout: 60_000 }),
      handler: ledger,
      handlerName: 'TestHandler',
      logger: silent,
      clock,
      store,
    });
    store.goAway();
    const connecting = watch(engine.connect(transport));
    await clock.advance(1_000);
    const stopped = watch(engine.stop());
    await clock.advance(1_000);
    await rest();
    store.comeBack();
    await clock.advance(60_000);
    await rest();
    expect(stopped.state).toBe('resolved');
    expect(connecting.state).not.toBe('pending');
    expect(() => engine.connection()).toThrow(NotStartedError);
    expect(clock.pending).toBe(0);
  });
});

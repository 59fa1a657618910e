import { PublishError, StoreInUseError, StoreUnavailableError, type MessageContext } from '../../src/index.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { watch } from '../support/recording-handler.js';

const PRODUCER = -1;

describe('an embedded transport with a store', () => {
  test('keeps a published message until the commit that handles it', async () => {
    const world = new World();
    const { publish, store } = await world.embed(ledger);
    const held = store.hold('commit');
    const published = watch(publish('k', 'a', { messageId: 'a' }));
    await rest();
    expect(published.state).toBe('pending');
    const handling = store.hold('commit');
    held.release();
    await rest();
    expect(published.state).toBe('resolved');
    expect(world.rows(PRODUCER)).toHaveLength(1);
    handling.release();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.rows(PRODUCER)).toEqual([]);
  });

  test('has started when its shards are open, so that nobody who calls a key then is refused', async () => {
    const world = new World();
    let opening!: { release(): void };
    const start = watch(world.embed(ledger, { totalCount: 4 }, (store) => (opening = store.hold('openShard', 3))));
    // A start has a rest of its own behind it.
    for (const _ of ['start', 'rest']) await rest();
    expect(start.state).toBe('pending');
    opening.release();
    for (const _ of ['start', 'rest']) await rest();
    expect(start.state).toBe('resolved');
  });

  test('sends what is left after a kill, in order, before anything newer', async () => {
    const world = new World();
    const first = await world.embed(ledger);
    await first.send('k', 'a');
    first.store.fail('load', { times: 1_000 });
    await first.send('l', 'x', 'y');
    await first.kill();
    expect(world.rows(PRODUCER).map(({ message }) => message.messageId)).toEqual(['x', 'y']);
    const second = await world.embed(ledger);
    await second.send('l', 'z');
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.state('l')).toEqual({ ids: ['x', 'y', 'z'] });
    expect(world.rows(PRODUCER)).toEqual([]);
  });

  test('keeps what callbacks publish too', async () => {
    const world = new World();
    const passing = {
      ...ledger,
      handleMessage(payload: string, state: Ledger, context: MessageContext) {
        state.ids.push(payload);
        if (context.key === 'k') context.publish(`${payload}>`, { shardingKey: 'to', messageId: `${payload}>` });
      },
    };
    const first = await world.embed(passing);
    first.store.fail('load', { nth: 2, times: 1_000 });
    await first.send('k', 'a');
    expect(world.rows(0)).toHaveLength(1);
    await first.kill();
    await world.embed(passing);
    await rest();
    expect(world.state('to')).toEqual({ ids: ['a>'] });
    expect(world.rows(0)).toEqual([]);
  });

  test('lets go of the row of a message whose first commit was refused', async () => {
    const world = new World();
    const { send, store, clock } = await world.embed(ledger, { failurePolicy: { backoff: { initial: 100 } } });
    const end = store.refuse(({ handled }) => handled.length > 0);
    await send('k', 'a');
    for (let n = 0; n < 2; n++) {
      await clock.advance(20);
      await rest();
    }
    end();
    await clock.advance(10_000);
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.rows(PRODUCER)).toEqual([]);
  });

  test('lets go of the row of a message that is dead-lettered past the store', async () => {
    const world = new World();
    const { send, store, clock } = await world.embed(ledger, { failurePolicy: { attempts: 1 } });
    const end = store.refuse(
      ({ handled, outbox }) =>
        handled.some(({ outcome }) => outcome === 'handled') || outbox.some(({ kind }) => kind === 'deadLetter'),
    );
    await send('k', 'a');
    for (let n = 0; n < 5; n++) {
      await clock.advance(100);
      await rest();
    }
    end();
    expect(world.rows(PRODUCER)).toEqual([]);
    expect(world.entry('k', 'a')).toMatchObject({ outcome: 'exhausted' });
  });

  test('is for one process alone', async () => {
    const world = new World();
    const first = await world.embed(ledger);
    await expect(world.embed(ledger)).rejects.toBeInstanceOf(StoreInUseError);
    await first.engine.stop();
    await world.embed(ledger);
  });

  test('of which the start failed is free for the next', async () => {
    const world = new World();
    const first = await world.embed(ledger);
    await first.engine.stop();
    await expect(
      world.embed(ledger, { storeStartTimeout: 0 }, (store) => store.fail('openShard')),
    ).rejects.toBeInstanceOf(StoreUnavailableError);
    await world.embed(ledger);
  });

  test('takes nothing once it is closed', async () => {
    const world = new World();
    const { publish, engine, store, clock } = await world.embed(ledger, { drainTimeout: 1_000 });
    store.goAway();
    const pending = watch(publish('k', 'a'));
    const stopped = watch(engine.stop());
    await rest();
    await clock.advance(3_000);
    await rest();
    expect(stopped.state).toBe('resolved');
    expect(pending).toMatchObject({ state: 'rejected', value: expect.any(PublishError) });
    await expect(publish('k', 'b')).rejects.toMatchObject({ reason: 'closed' });
  });
});

import { MississippiOperator, NOTE_HEADERS, type DataUpdaterHandler } from '../../src/index.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { watch } from '../support/recording-handler.js';

/** Fails at `bad` until it is healed. */
function failing() {
  let healthy = false;
  const handler: DataUpdaterHandler<Ledger, string> = {
    ...ledger,
    handleMessage: (payload, state, context) =>
      payload === 'bad' && !healthy
        ? Promise.reject(new Error('broken'))
        : ledger.handleMessage(payload, state, context),
  };
  return { handler, heal: () => void (healthy = true) };
}

async function startOperated(world: World, failurePolicy = {}) {
  const { handler, heal } = failing();
  const engine = await world.start(handler, { failurePolicy: { attempts: Infinity, ...failurePolicy } });
  return { ...engine, heal, operator: new MississippiOperator(engine) };
}

describe('with a store an operator', () => {
  test('is answered once the drop of a head in backoff is committed, and no repeat of it is handled', async () => {
    const world = new World();
    const { send, store, operator, publish, heal } = await startOperated(world);
    await send('k', 'a', 'bad', 'b');
    const held = store.hold('commit');
    const drop = watch(operator.drop('k'));
    await rest();
    expect(drop.state).toBe('pending');
    held.release();
    await rest();
    expect(drop.state).toBe('resolved');
    expect(world.entry('k', 'bad')).toMatchObject({ outcome: 'dropped' });
    heal();
    await publish('k', 'bad', { messageId: 'bad' });
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(world.broker.deadLetters).toHaveLength(1);
  });

  test('is not told of a drop that the process did not live to commit, and the message is there again', async () => {
    const world = new World();
    const engine = await startOperated(world);
    const { send, store, operator } = engine;
    await send('k', 'a', 'bad', 'b');
    store.hold('commit');
    const drop = watch(operator.drop('k'));
    await rest();
    await engine.kill();
    expect(drop.state).not.toBe('resolved');
    const next = await startOperated(world);
    next.heal();
    await rest();
    await next.operator.retry('k').catch(() => undefined);
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'bad', 'b'] });
    expect(world.broker.deadLetters).toEqual([]);
  });

  test('tries the head of a held key, which is held again behind it', async () => {
    const world = new World();
    const { send, operator, heal } = await startOperated(world, { attempts: 1, onExhausted: 'park' });
    await send('k', 'bad', 'b', 'c');
    heal();
    await operator.retry('k');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['bad'] });
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parked: 2 });
    await send('k', 'd');
    expect(world.broker.parkedCount(0)).toBe(3);
    await operator.resume('k');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['bad', 'b', 'c', 'd'] });
  });

  test('drops all of a held key, and none of it is handled when it comes again', async () => {
    const world = new World();
    const { send, operator, heal } = await startOperated(world, { attempts: 1, onExhausted: 'park' });
    await send('k', 'bad', 'b');
    await operator.dropAll('k');
    await rest();
    expect(world.broker.parkedCount(0)).toBe(0);
    expect(world.broker.deadLetters.map(({ messageId }) => messageId)).toEqual(['bad', 'b']);
    heal();
    await operator.resume('k');
    await send('k', 'b', 'c');
    expect(world.state('k')).toEqual({ ids: ['c'] });
  });

  test.each(['the same', 'the next'])(
    'drops a message to the dead letters with the error for which %s owner parked it',
    async (owner) => {
      const world = new World();
      const first = await startOperated(world, { attempts: 1, onExhausted: 'park' });
      await first.send('k', 'bad', 'b');
      if (owner === 'the next') await first.kill();
      const { operator, logs } = owner === 'the next' ? await startOperated(world) : first;
      await operator.dropAll('k');
      await rest();
      const [bad, b] = world.broker.deadLetters.map(({ headers }) => headers);
      expect(bad).toMatchObject({
        [NOTE_HEADERS.reason]: 'dropped',
        [NOTE_HEADERS.error]: 'Error: broken',
        [NOTE_HEADERS.stack]: expect.stringContaining('operator.spec') as string,
        [NOTE_HEADERS.attempts]: 1,
      });
      expect(b).toMatchObject({ [NOTE_HEADERS.reason]: 'dropped', [NOTE_HEADERS.attempts]: 0 });
      expect(b).not.toHaveProperty(NOTE_HEADERS.error);
      const told = logs.filter((line) => line.includes('is dead-lettered'));
      expect(told[0]).toMatch(/\(dropped\): Error: broken$/);
    },
  );

  test('deactivates a data updater once all before is committed, and the next starts with its state', async () => {
    const world = new World();
    const { send, store, operator, service } = await startOperated(world);
    const held = store.hold('commit');
    await send('k', 'a');
    await operator.deactivate('k');
    await send('k', 'b');
    held.release();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(service.status().liveKeys).toBe(1);
    expect(await operator.state('k')).toMatchObject({ state: { ids: ['a', 'b'] } });
  });

  test('sees that a key waits for the store', async () => {
    const world = new World();
    const { send, store, operator, clock } = await startOperated(world);
    store.fail('commit', { times: Infinity });
    await send('k', 'a', 'b');
    await clock.advance(1_000);
    await rest();
    expect((await operator.keys({ troubled: true })).keys.map(({ key, trouble }) => [key, trouble])).toEqual([
      ['k', 'storeAway'],
    ]);
  });
});

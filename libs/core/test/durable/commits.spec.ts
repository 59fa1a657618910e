import { ack, discard, reply, StateNotCommittedError } from '../../src/index.js';
import { databaseOf } from '../../src/store/memory/memory-store-database.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';

const twice = { failurePolicy: { attempts: 2, backoff: { initial: 1_000 } } } as const;

describe('until the commit', () => {
  test('nothing is acked, answered, told or published, and the next message runs on the state in memory', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({
      ...ledger,
      handleMessage(payload, state, context) {
        state.ids.push(payload);
        if (payload === 'a') context.publish('from a', { shardingKey: 'l', messageId: 'from a' });
      },
    });
    const { send, store, service, of } = await world.start(handler);
    const held = store.hold('commit');
    await send('k', 'a', 'b');
    const direct = watch(service.handleMessage('k', { payload: 'c', messageId: 'c' }));
    const answer = watch(service.handleSignal('k', 'how many'));
    await rest();
    expect(handler.messages('k')).toEqual(['a', 'b', 'c']);
    expect([direct.state, answer.state]).toEqual(['pending', 'pending']);
    expect(world.broker.length).toBe(2);
    expect([...of('handled'), ...of('signalled')]).toEqual([]);
    expect(handler.of('l')).toEqual([]);
    held.release();
    await rest();
    expect([direct.state, answer.state]).toEqual(['resolved', 'resolved']);
    expect(world.broker.length).toBe(0);
    expect(handler.messages('l')).toEqual(['from a']);
    expect(of('handled').map(({ messageId }) => messageId)).toEqual(['a', 'b', 'c', 'from a']);
  });

  test('a discard is neither told nor in the dead letters', async () => {
    const world = new World();
    const { send, store, of } = await world.start({ handleMessage: () => discard('no') });
    const held = store.hold('commit');
    await send('k', 'a');
    expect(world.broker.deadLetters).toEqual([]);
    expect([...of('discarded'), ...of('deadLettered')]).toEqual([]);
    held.release();
    await rest();
    expect(of('discarded')).toMatchObject([{ messageId: 'a', reason: 'no' }]);
    expect(world.broker.deadLetters).toMatchObject([{ messageId: 'a' }]);
    expect(world.rows()).toEqual([]);
  });

  test('an error of a signal says nothing either', async () => {
    const world = new World();
    const { send, store, service } = await world.start({
      ...ledger,
      handleSignal: (_signal: unknown, state: Ledger) => Promise.reject(new Error(`${state.ids.length} is too many`)),
    });
    const held = store.hold('commit');
    await send('k', 'a');
    const answer = watch(service.handleSignal('k', 'how many'));
    await rest();
    expect(answer.state).toBe('pending');
    held.release();
    await rest();
    expect(answer).toMatchObject({ state: 'rejected', value: { message: '1 is too many' } });
  });

  test('a key starts no more than its bound of callbacks, signals among them', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, store, service } = await world.start(handler, { prefetch: 400 });
    const held = store.hold('commit');
    const ids = Array.from({ length: 250 }, (_, n) => `m${n}`);
    await send('k', ...ids);
    const answer = watch(service.handleSignal('k', 'how many'));
    await rest();
    expect(handler.messages('k')).toEqual(ids.slice(0, 200));
    expect(handler.of('k')).not.toContain('signal how many');
    held.release();
    await rest();
    expect(answer.state).toBe('resolved');
    expect(world.state('k')).toEqual({ ids });
  });
});

describe('a commit that the store refuses', () => {
  test('is a failed attempt of the culprit; what follows it runs again, in order, and others commit', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, store, clock, of } = await world.start(handler, twice);
    const end = store.refuseMessage('b');
    const held = store.hold('commit');
    await send('k', 'a', 'b', 'c', 'd');
    await send('l', 'x');
    held.release();
    for (let n = 0; n < 5; n++) {
      await rest();
      await clock.advance(100);
    }
    expect(of('retried')).toMatchObject([{ key: 'k', messageId: 'b', attempt: 1 }]);
    expect(world.state('l')).toEqual({ ids: ['x'] });
    end();
    await clock.advance(2_000);
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c', 'd'] });
    expect(
      of('handled')
        .filter(({ key }) => key === 'k')
        .map(({ messageId }) => messageId),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(handler.messages('k')).toEqual(['a', 'b', 'c', 'd', 'b', 'c', 'd']);
  });

  test('ends by the policy: the message goes to the dead letters, and its repeat is one', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, store, clock } = await world.start(handler, {
      failurePolicy: { attempts: 1 },
    });
    const end = store.refuse(({ handled }) =>
      handled.some(({ messageId, outcome }) => messageId === 'b' && outcome === 'handled'),
    );
    const held = store.hold('commit');
    await send('k', 'a', 'b', 'b', 'c');
    held.release();
    for (let n = 0; n < 10; n++) {
      await rest();
      await clock.advance(100);
    }
    end();
    expect(world.broker.deadLetters).toMatchObject([{ messageId: 'b' }]);
    expect(world.entry('k', 'b')).toMatchObject({ outcome: 'exhausted' });
    expect(world.state('k')).toEqual({ ids: ['a', 'c'] });
    expect(handler.messages('k').filter((id) => id === 'b')).toHaveLength(1);
    expect(world.broker.length).toBe(0);
  });

  test('whose dead letter it refuses too: that is published past the store, and its repeat is still one', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, store, clock, of } = await world.start(handler, {
      failurePolicy: { attempts: 1 },
    });
    // Its effect and its dead letter, but not the entry alone.
    const end = store.refuse(({ handled, outbox }) =>
      handled.some(({ messageId, outcome }) => messageId === 'b' && (outcome === 'handled' || outbox.length > 0)),
    );
    const held = store.hold('commit');
    await send('k', 'a', 'b', 'b', 'c');
    held.release();
    for (let n = 0; n < 20; n++) {
      await rest();
      await clock.advance(100);
    }
    end();
    expect(world.broker.deadLetters).toMatchObject([{ messageId: 'b' }]);
    expect(world.entry('k', 'b')).toMatchObject({ outcome: 'exhausted' });
    expect(world.state('k')).toEqual({ ids: ['a', 'c'] });
    expect(handler.messages('k').filter((id) => id === 'b')).toHaveLength(1);
    expect(of('shardLost')).toEqual([]);
    expect(world.broker.length).toBe(0);
  });

  test('undoes the signals behind it, which are told so', async () => {
    const world = new World();
    const { send, store, service, clock } = await world.start(
      {
        ...ledger,
        handleSignal: (signal: string, state: Ledger) => reply(state.ids.length, { ids: [...state.ids, signal] }),
      },
      twice,
    );
    const end = store.refuseMessage('a');
    const held = store.hold('commit');
    await send('k', 'a');
    const answer = watch(service.handleSignal('k', 's'));
    await rest();
    expect(answer.state).toBe('pending');
    held.release();
    await rest();
    await clock.advance(500);
    await rest();
    expect(answer).toMatchObject({ state: 'rejected', value: expect.any(StateNotCommittedError) });
    end();
    await clock.advance(5_000);
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('of a signal counts no attempt of the messages behind it, nor forgets those that they had', async () => {
    const world = new World();
    const gates = new Gates();
    const { send, store, service, clock, of } = await world.start(
      {
        ...ledger,
        async handleMessage(payload: string, state: Ledger, { attempt }: { attempt: number }) {
          if (attempt === 1) throw new Error('the first time');
          await gates.at(`${payload} ${attempt}`);
          state.ids.push(payload);
        },
        handleSignal: (signal: string, state: Ledger) => reply(0, { ids: [...state.ids, signal] }),
      },
      twice,
    );
    await send('k', 'a');
    const end = store.refuse(({ handled, states }) => handled.length === 0 && states.length > 0);
    const held = store.hold('commit');
    const answer = watch(service.handleSignal('k', 's'));
    await rest();
    await clock.advance(1_000);
    await rest();
    gates.open('a 2', undefined);
    await rest();
    held.release();
    for (let n = 0; n < 5; n++) {
      await rest();
      await clock.advance(100);
    }
    end();
    expect(answer).toMatchObject({ state: 'rejected', value: expect.any(StateNotCommittedError) });
    await rest();
    expect(gates.names).toEqual(['a 2']);
    gates.open('a 2', undefined);
    await rest();
    expect(of('retried')).toHaveLength(1);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('while the shard drains leaves nothing that would hold it up', async () => {
    const world = new World();
    const { send, store, engine, clock } = await world.start({
      handleMessage: (payload: string) => (payload === 'b' ? undefined : ack({ payload })),
    });
    const end = store.refuseMessage('a');
    const held = store.hold('commit');
    await send('k', 'a');
    const stopped = watch(engine.stop());
    await rest();
    held.release();
    for (let n = 0; n < 5; n++) {
      await rest();
      await clock.advance(100);
    }
    end();
    expect(stopped.state).toBe('resolved');
    expect(world.broker.length).toBe(1);
  });
});

describe('a commit whose answer is lost', () => {
  test('that was written is not written again', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, store, clock } = await world.start(handler);
    store.loseAnswer('commit');
    await send('k', 'a');
    await clock.advance(1_000);
    await send('k', 'b');
    expect(store.calls.filter((call) => call === 'resolve')).toHaveLength(1);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(world.broker.length).toBe(0);
  });

  test('that was not written is made void and written with the next number', async () => {
    const world = new World();
    const { send, store, clock } = await world.start(ledger);
    store.fail('commit');
    await send('k', 'a');
    await clock.advance(1_000);
    await rest();
    expect(store.commits.map(([commit]) => commit!.number)).toEqual([1, 2]);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('of a store that is busy keeps its number', async () => {
    const world = new World();
    const { send, store, clock } = await world.start(ledger);
    store.busy('commit', { times: 3 });
    await send('k', 'a');
    for (let n = 0; n < 10; n++) {
      await clock.advance(1_000);
      await rest();
    }
    expect(store.commits.map(([commit]) => commit!.number)).toEqual([1, 1, 1, 1]);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });
});

describe('the fence', () => {
  test('ends the epoch of a frozen owner: it writes nothing when it wakes', async () => {
    const world = new World();
    const frozen = await world.start(ledger);
    const held = frozen.store.hold('commit');
    await frozen.send('k', 'a');
    const second = await world.start(ledger);
    frozen.engine.connection().stopClaiming();
    world.broker.loseShard(0);
    await rest();
    await second.send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    held.release();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(world.entry('k', 'a')).toBeDefined();
    expect(world.broker.length).toBe(0);
  });

  test('ends the epoch at once of an owner that does not know that it is none', async () => {
    const world = new World();
    const { send, of, service } = await world.start(ledger);
    await send('k', 'a');
    openElsewhere(world);
    const direct = watch(service.handleMessage('k', { payload: 'b', messageId: 'b' }));
    await send('k', 'c');
    expect(of('shardLost')).toHaveLength(1);
    expect(direct.state).toBe('rejected');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'c'] });
  });

  test('rejects a direct message that was handled and could not be committed', async () => {
    const world = new World();
    const gates = new Gates();
    const { service } = await world.start({
      ...ledger,
      handleMessage: (payload: string, state: Ledger) => gates.at(payload).then(() => void state.ids.push(payload)),
    });
    const direct = watch(service.handleMessage('k', { payload: 'a', messageId: 'a' }));
    await rest();
    world.broker.loseShard(0);
    gates.open('a', undefined);
    await rest();
    expect(direct.state).toBe('rejected');
    expect(world.state('k')).toBeUndefined();
  });
});

/** Another process opens shard 0 in the store, though the broker gives it to nobody else. */
function openElsewhere(world: World): void {
  databaseOf(world.database).instances.get('default')!.fence(0).open();
}

test('a key of which nothing is known is not kept', async () => {
  const world = new World();
  const { send, service, clock } = await world.start(ledger, { idleTimeout: 1_000 });
  await send('k', 'a');
  await clock.advance(1_000);
  await rest();
  expect([...service.liveKeys()]).toEqual([]);
});

import { reply } from '../../src/index.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';

describe('while a commit of its key is pending', () => {
  test('a key that an operator parks is not moved', async () => {
    const world = new World();
    const { send, store, service } = await world.start(ledger);
    const held = store.hold('commit');
    await send('k', 'a');
    await service.park('k');
    await send('k', 'b', 'c');
    expect(world.broker.parkedCount(0)).toBe(0);
    held.release();
    await rest();
    expect(world.broker.parkedCount(0)).toBe(2);
    expect(world.state('k')).toEqual({ ids: ['a'] });
    await service.resume('k');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c'] });
  });

  test('a key that is parked and resumed again is not moved at all', async () => {
    const world = new World();
    const { send, store, service } = await world.start(ledger);
    const held = store.hold('commit');
    await send('k', 'a');
    await service.park('k');
    await send('k', 'b');
    await service.resume('k');
    held.release();
    await rest();
    expect(world.broker.parkedCount(0)).toBe(0);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('a key whose commit is refused then is parked with what came back, in order', async () => {
    const world = new World();
    const { send, store, service, clock } = await world.start(ledger);
    const end = store.refuseMessage('a');
    const held = store.hold('commit');
    await send('k', 'a', 'b');
    await service.park('k');
    held.release();
    for (let n = 0; n < 3; n++) {
      await rest();
      await clock.advance(50);
    }
    end();
    expect(world.broker.parkedCount(0)).toBe(2);
    await service.resume('k');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test.each(['idle', 'evicted'])('a data updater that is to go, because it is %s, goes after it', async (reason) => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, store, clock } = await world.start(
      handler,
      reason === 'idle' ? { idleTimeout: 1_000 } : { maxLiveKeys: 1 },
    );
    const held = store.hold('commit');
    await send('k', 'a');
    if (reason === 'idle') await clock.advance(2_000);
    else await send('l', 'x');
    expect(handler.of('k')).toEqual(['init', 'message a']);
    await send('k', 'b');
    held.release();
    await rest();
    await rest();
    expect(handler.of('k').slice(0, 4)).toEqual(['init', 'message a', `terminate ${reason}`, 'message b']);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });
});

describe('pressure', () => {
  test('moves what has waited too long behind a slow head, once that is committed', async () => {
    const world = new World();
    const gates = new Gates();
    const { send, store, clock, of } = await world.start(
      {
        ...ledger,
        async handleMessage(payload: string, state: Ledger) {
          if (payload === 'a') await gates.at('a');
          state.ids.push(payload);
        },
      },
      { pressureAge: 1_000 },
    );
    await send('k', 'a', 'b', 'c');
    await clock.advance(2_000);
    const held = store.hold('commit');
    gates.open('a', undefined);
    await rest();
    expect(world.broker.parkedCount(0)).toBe(0);
    held.release();
    await rest();
    await rest();
    expect(of('parked')).toMatchObject([{ key: 'k', mode: 'pressure' }]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c'] });
    expect(world.broker.length + world.broker.parkedCount(0)).toBe(0);
  });
});

describe('a parked key', () => {
  test('whose first message is dropped has it in the dead letters and in the inbox', async () => {
    const world = new World();
    const { send, service } = await world.start(ledger);
    await service.park('k');
    await send('k', 'a', 'b');
    await service.drop('k');
    await rest();
    expect(world.broker.deadLetters).toMatchObject([{ messageId: 'a' }]);
    expect(world.entry('k', 'a')).toMatchObject({ outcome: 'dropped' });
    await service.resume('k');
    await send('k', 'a');
    expect(world.state('k')).toEqual({ ids: ['b'] });
  });

  test('whose drop the store refuses tells the operator, and keeps the message', async () => {
    const world = new World();
    const { send, service, store, clock } = await world.start(ledger);
    await service.park('k');
    await send('k', 'a', 'b');
    const end = store.refuseMessage('a');
    const dropped = watch(service.drop('k'));
    for (let n = 0; n < 3; n++) {
      await rest();
      await clock.advance(50);
    }
    end();
    expect(dropped.state).toBe('rejected');
    expect(world.broker.parkedCount(0)).toBe(2);
    await service.resume('k');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('whose shard is lost while the store is asked tells whoever drops its message', async () => {
    const world = new World();
    const { send, service, store } = await world.start(ledger);
    await service.park('k');
    await send('k', 'a');
    const held = store.hold('lookUp');
    const dropped = watch(service.drop('k'));
    await rest();
    world.broker.loseShard(0);
    await rest();
    expect(dropped.state).toBe('rejected');
    held.release();
    await rest();
  });

  test('that is held while the store is asked about its first message is fed that message once', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const { send, service, store } = await world.start(handler);
    await service.park('k');
    await send('k', 'a', 'b');
    const held = store.hold('lookUp');
    await service.resume('k');
    await held.reached;
    await service.park('k');
    await service.drop('k');
    await service.resume('k');
    held.release();
    await rest();
    expect(handler.messages('k')).toEqual(['b']);
    expect(world.state('k')).toEqual({ ids: ['b'] });
  });

  test('is found by the next owner, in order, and what is committed of it is not handled again', async () => {
    const world = new World();
    const first = await world.start(ledger);
    await first.service.park('k');
    await first.send('k', 'a', 'b');
    const held = first.store.holdAnswer('commit');
    await first.service.resume('k');
    await held.reached;
    await first.kill();
    expect(world.broker.parkedCount(0)).toBe(2);
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const second = await world.start(handler);
    await second.service.resume('k').catch(() => undefined);
    await rest();
    await second.send('k', 'c');
    expect(handler.messages('k')).toEqual(['b', 'c']);
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c'] });
  });
});

test('a key that is fed goes on, though a signal is committed after the last message', async () => {
  const world = new World();
  const { send, service, store } = await world.start({
    ...ledger,
    handleSignal: (signal: string, state: Ledger) => reply(0, { ids: [...state.ids, signal] }),
  });
  await service.park('k');
  await send('k', 'a', 'b');
  const first = store.hold('commit');
  await service.resume('k');
  await first.reached;
  const answer = watch(service.handleSignal('k', 's'));
  await rest();
  first.release();
  await rest();
  expect(answer.state).toBe('resolved');
  expect(world.state('k')).toEqual({ ids: ['a', 's', 'b'] });
});

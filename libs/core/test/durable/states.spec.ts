import { ack, discard, StateEncodeError, type DataUpdaterHandler } from '../../src/index.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const once = { failurePolicy: { attempts: 1 } } as const;

describe('with a store, the state of a key', () => {
  test('is what was stored when its data updater starts again, and init is for unknown keys', async () => {
    const world = new World();
    const first = await world.start(ledger);
    await first.send('k', 'a', 'b');
    await first.engine.stop();
    const handler = new RecordingHandler<Ledger>({ ...ledger });
    const second = await world.start(handler);
    await second.send('k', 'c');
    await second.send('l', 'd');
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c'] });
    expect(handler.of('k')).toEqual(['message c']);
    expect(handler.of('l')).toEqual(['init', 'message d']);
  });

  test('is handed to activate at each start, and what that changes is kept with the next commit', async () => {
    const world = new World();
    const started: string[] = [];
    const handler: DataUpdaterHandler<Ledger & { starts?: number }, string> = {
      ...ledger,
      activate(state, context) {
        started.push(`${context.key} ${state.ids.length}`);
        state.starts = (state.starts ?? 0) + 1;
      },
    };
    const { send, clock } = await world.start(handler, { idleTimeout: 1_000 });
    await send('k', 'a');
    await clock.advance(1_000);
    await send('k', 'b');
    expect(started).toEqual(['k 0', 'k 1']);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'], starts: 2 });
  });

  test('waits while activate fails, as while init does, which is told at the first, second, fourth time', async () => {
    const world = new World();
    let broken = true;
    const { send, logs, clock, of } = await world.start({
      ...ledger,
      activate: () => (broken ? Promise.reject(new Error('no line')) : undefined),
    });
    await send('k', 'a');
    for (let n = 0; n < 4; n++) await clock.advance(60_000);
    expect(
      of('startFailed')
        .map(({ failures }) => failures)
        .slice(0, 4),
    ).toEqual([1, 2, 3, 4]);
    expect(logs.filter((line) => line.includes('no line')).length).toBeLessThan(of('startFailed').length);
    broken = false;
    await clock.advance(60_000);
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('is written where the handler changed it in place and returned nothing', async () => {
    const world = new World();
    const { send } = await world.start(ledger);
    await send('k', 'a');
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('is not written where its bytes are as before', async () => {
    const world = new World();
    const { send, store } = await world.start({ init: () => ({ ids: [] }), handleMessage: () => ack({ ids: [] }) });
    await send('k', 'a');
    await send('k', 'b');
    const states = store.commits.flat().map((commit) => commit.states.length);
    expect(states).toEqual([1, 0]);
  });

  test('loses of a callback that throws what that changed, and nothing else', async () => {
    const world = new World();
    let failures = 0;
    const { send, clock } = await world.start({
      ...ledger,
      handleMessage(payload: string, state: Ledger) {
        state.ids.push(payload);
        if (payload === 'b' && failures++ === 0) throw new Error('struck');
      },
    });
    await send('k', 'a', 'b', 'c');
    await clock.advance(60_000);
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b', 'c'] });
  });

  test.each([
    ['a Date', () => new Date(0)],
    ['a bigint', () => 1n],
    ['undefined in a list', () => [undefined]],
    ['a Map', () => new Map()],
  ])('may not hold %s in JSON: the attempt has failed', async (_name, value) => {
    const world = new World();
    const { send, of, broker } = Object.assign(
      await world.start({ handleMessage: () => ack({ value: value() }) }, once),
      { broker: world.broker },
    );
    await send('k', 'a');
    expect(of('exhausted')).toMatchObject([{ error: expect.any(StateEncodeError) }]);
    expect(world.state('k')).toBeUndefined();
    expect(broker.deadLetters).toHaveLength(1);
  });

  test('may not be larger than allowed: the attempt has failed', async () => {
    const world = new World();
    const { send, of } = await world.start({ handleMessage: () => ack('x'.repeat(100)) }, { ...once, stateLimit: 50 });
    await send('k', 'a');
    expect(of('exhausted')[0]!.error).toMatchObject({ message: expect.stringContaining('takes 102 bytes') });
    expect(world.state('k')).toBeUndefined();
  });

  test.each(['hangs', 'fails'])(
    'waits while migrate %s, for handlerTimeout at most, and is tried again',
    async (how) => {
      const world = new World();
      const old = await world.start({ handleMessage: () => ack(['a']) });
      await old.send('k', 'a');
      await old.engine.stop();
      let runs = 0;
      const { send, of, clock } = await world.start(
        {
          migrate: (state) => {
            if (runs++ > 0) return { ids: state as string[] };
            if (how === 'fails') throw new Error('struck');
            return new Promise(() => undefined);
          },
          handleMessage: (id, { ids }) => ack({ ids: [...(ids as string[]), id] }),
        },
        { stateVersion: 2, handlerTimeout: 1_000, failurePolicy: { attempts: 1 } },
      );
      await send('k', 'b');
      for (let n = 0; n < 60 && runs < 2; n++) {
        await clock.advance(1_000);
        await rest();
      }
      await rest();
      expect(of('startFailed')).toHaveLength(1);
      expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
      expect(world.broker.deadLetters).toEqual([]);
    },
  );

  test('is migrated from an older version, and stored as it is then with the next commit', async () => {
    const world = new World();
    const old = await world.start({ handleMessage: () => ack(['a']) });
    await old.send('k', 'a');
    await old.engine.stop();
    const from: number[] = [];
    const { send } = await world.start(
      {
        migrate(state, version) {
          from.push(version);
          return { ids: state as string[] };
        },
        handleMessage: (payload: string, state: Ledger) => void state.ids.push(payload),
      } satisfies DataUpdaterHandler<Ledger, string>,
      { stateVersion: 3 },
    );
    await send('k', 'b');
    expect(from).toEqual([1]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('waits for a migration that works, and stays as it is meanwhile', async () => {
    const world = new World();
    const old = await world.start(ledger);
    await old.send('k', 'a');
    await old.engine.stop();
    const { send, of, logs, clock } = await world.start(ledger, { stateVersion: 2 });
    await send('k', 'b');
    await clock.advance(10_000);
    expect(of('startFailed').length).toBeGreaterThan(1);
    expect(of('exhausted')).toEqual([]);
    expect(logs.some((line) => line.includes('add migrate(state, from) to TestHandler'))).toBe(true);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('waits for an upgraded process where it is of a newer version', async () => {
    const world = new World();
    const newer = await world.start(ledger, { stateVersion: 2 });
    await newer.send('k', 'a');
    await newer.engine.stop();
    const { send, engine, logs } = await world.start(ledger);
    await send('k', 'b');
    expect(logs.some((line) => line.includes('waits for a process that has been upgraded'))).toBe(true);
    await engine.stop();
    const upgraded = await world.start(ledger, { stateVersion: 2 });
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    await upgraded.engine.stop();
  });

  test('is gone once an outcome forgets it, and init makes the next', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({
      init: () => ({ ids: [] }),
      handleMessage(payload, state) {
        state.ids.push(payload);
        return payload === 'b' ? ack(state, { forget: true }) : undefined;
      },
    });
    const { send } = await world.start(handler);
    await send('k', 'a', 'b', 'c');
    expect(handler.of('k')).toEqual(['init', 'message a', 'message b', 'terminate forgotten', 'init', 'message c']);
    expect(world.state('k')).toEqual({ ids: ['c'] });
  });

  test('cannot be forgotten and continued at once: the attempt has failed', async () => {
    const world = new World();
    const { send, of } = await world.start(
      {
        ...ledger,
        handleMessage: (_payload: string, state: Ledger) => ack(state, { forget: true, continue: 1 }),
        handleContinue: () => undefined,
      },
      once,
    );
    await send('k', 'a');
    expect(of('exhausted')[0]!.error).toMatchObject({ message: expect.stringContaining('forget') });
  });

  test('is kept by a discard too', async () => {
    const world = new World();
    const { send } = await world.start({
      ...ledger,
      handleMessage: (payload: string, state: Ledger) => discard('no', { ids: [...state.ids, payload] }),
    });
    await send('k', 'a');
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.broker.deadLetters).toMatchObject([{ messageId: 'a' }]);
    expect(world.entry('k', 'a')).toMatchObject({ outcome: 'discarded', replay: 0 });
  });

  test('expires after its time without a message', async () => {
    const world = new World();
    const { send, clock } = await world.start(ledger, { stateTtl: 5_000, idleTimeout: 1_000 });
    await send('k', 'a');
    await clock.advance(4_000);
    await send('k', 'b');
    await clock.advance(4_000);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    await clock.advance(2_000);
    await send('k', 'c');
    expect(world.state('k')).toEqual({ ids: ['c'] });
  });

  test('expires whether or not its data updater would have stayed', async () => {
    const world = new World();
    const { send, clock } = await world.start(ledger, { stateTtl: 5_000 });
    await send('k', 'a');
    await clock.advance(6_000);
    await send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['b'] });
  });
});

test('without a store an outcome that publishes or forgets is a failed attempt, not a loss in silence', async () => {
  const { send, of } = await startEngine(
    { handleMessage: () => ack(undefined, { publish: [{ payload: 1, shardingKey: 'l' }] }) },
    once,
  );
  await send('k', 'a');
  expect(of('exhausted')).toMatchObject([
    { error: { code: 'no_store', message: expect.stringContaining('EventsProducer') as unknown } },
  ]);
});

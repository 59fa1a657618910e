import {
  memory,
  memoryStore,
  MemoryStoreDatabase,
  MississippiOperator,
  type DataUpdaterHandler,
  type MississippiOptions,
} from '../../src/index.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { LinkedTransports } from '../support/linked-transports.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const ANN = { by: 'ann', reason: 'ticket 12' };
const WHERE = ['here', 'elsewhere'] as const;

/** The owner of one shard, with a store, and an operator in its process or in one that only publishes. */
async function startOperated(
  where: (typeof WHERE)[number],
  handler: RecordingHandler<Ledger> = new RecordingHandler<Ledger>(ledger),
  options: Omit<MississippiOptions, 'transport' | 'store'> = {},
) {
  const links = new LinkedTransports(memory({ totalCount: 1 }).broker);
  const database = new MemoryStoreDatabase();
  const owner = await startEngine(handler, {
    transport: links.open('owner'),
    store: memoryStore({ database }),
    ...options,
  });
  const { clock } = owner;
  const other =
    where === 'here'
      ? owner
      : await startEngine(new RecordingHandler(), {
          producerOnly: true,
          clock,
          transport: links.open('other'),
          store: memoryStore({ database }),
        });
  await rest();
  const operator = new MississippiOperator({ engine: other.engine });
  const send = async (...ids: string[]): Promise<void> => {
    for (const id of ids) await owner.publish('k', id, { messageId: id });
    await rest();
  };
  const version = async (): Promise<number> => (await operator.state('k'))!.version;
  return { ...owner, handler, operator, send, version };
}

describe.each(WHERE)('an operator %s', (where) => {
  test('sees a state with its version, which each commit of it makes another', async () => {
    const { send, operator, clock } = await startOperated(where);
    expect(await operator.state('k')).toBeUndefined();
    await send('a');
    const first = await operator.state('k');
    expect(first).toEqual({
      state: { ids: ['a'] },
      redacted: false,
      problem: undefined,
      version: 1,
      changedAt: new Date(clock.time()),
      form: 1,
      bytes: Buffer.from('{"ids":["a"]}'),
      size: 13,
    });
    await send('b');
    expect((await operator.state('k'))!.version).toBeGreaterThan(first!.version);
  });

  test('edits a state, with which the next callback starts, and the trail says who, why and what was there', async () => {
    const { send, operator, handler, version, clock } = await startOperated(where);
    await send('a');
    const before = await version();
    await operator.editState('k', { ids: ['x'] }, { version: before, ...ANN });
    const after = await version();
    await send('b');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate operator', 'message b']);
    expect(await operator.state('k')).toMatchObject({ state: { ids: ['x', 'b'] } });
    expect(await operator.audit()).toEqual({
      entries: [
        {
          id: '1',
          at: new Date(clock.time()),
          key: 'k',
          text: '"k"',
          action: 'edited',
          ...ANN,
          process: expect.stringMatching(`:${process.pid}$`) as string,
          versionBefore: before,
          versionAfter: after,
          previous: { ids: ['a'] },
          problem: undefined,
          previousBytes: Buffer.from('{"ids":["a"]}'),
        },
      ],
      more: false,
    });
  });

  test('makes a state where there is none, and the key starts with it', async () => {
    const { send, operator, handler } = await startOperated(where);
    await operator.editState('k', { ids: ['x'] }, ANN);
    await send('a');
    expect(handler.of('k')).toEqual(['message a']);
    expect(await operator.state('k')).toMatchObject({ state: { ids: ['x', 'a'] } });
    expect((await operator.audit()).entries).toMatchObject([
      { versionBefore: 0, versionAfter: 1, previous: undefined },
    ]);
  });

  test('forgets a state, and init makes the next', async () => {
    const { send, operator, handler, version } = await startOperated(where);
    await send('a');
    await operator.forgetState('k', { version: await version(), ...ANN });
    expect(await operator.state('k')).toBeUndefined();
    await send('b');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate operator', 'init', 'message b']);
    expect((await operator.audit()).entries).toMatchObject([
      { action: 'forgotten', versionBefore: 1, versionAfter: 0, previous: { ids: ['a'] } },
    ]);
  });

  test('is refused where the state is another than the one that he means, and nothing is touched', async () => {
    const { send, operator, handler, version } = await startOperated(where);
    await expect(operator.editState('k', { ids: [] }, { version: 3, ...ANN })).rejects.toMatchObject({
      name: 'StateVersionError',
      code: 'state_version',
      version: 3,
      found: 0,
    });
    await expect(operator.forgetState('k', { version: 3, ...ANN })).rejects.toMatchObject({ code: 'state_version' });
    await send('a');
    const seen = await version();
    await send('b');
    const now = await version();
    for (const version of [seen, now + 1, undefined, 0]) {
      await expect(operator.editState('k', { ids: [] }, { version, ...ANN })).rejects.toMatchObject({ found: now });
    }
    await expect(operator.forgetState('k', { version: seen, ...ANN })).rejects.toMatchObject({ found: now });
    await send('c');
    expect(handler.of('k')).toEqual(['init', 'message a', 'message b', 'message c']);
    expect((await operator.audit()).entries).toEqual([]);
  });

  test('wins once of two who mean the same version', async () => {
    const { send, operator, version } = await startOperated(where);
    await send('a');
    const seen = await version();
    const edits = await Promise.allSettled(
      ['one', 'two'].map((by) => operator.editState('k', { ids: [by] }, { version: seen, by, reason: 'a race' })),
    );
    expect(edits.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(edits[1]).toMatchObject({ reason: { code: 'state_version', found: await version() } });
    expect(await operator.state('k')).toMatchObject({ state: { ids: ['one'] } });
    expect((await operator.audit()).entries).toHaveLength(1);
  });

  test('puts back what was there before, and undoes that it was there at all', async () => {
    const { send, operator, version } = await startOperated(where, undefined, { redact: () => 'hidden' });
    await operator.editState('k', { ids: ['x'] }, ANN);
    await send('a');
    await operator.editState('k', { ids: [] }, { version: await version(), ...ANN });
    const [emptied, made] = (await operator.audit()).entries;
    await expect(operator.restoreState('k', 'no such', { version: await version(), ...ANN })).rejects.toMatchObject({
      code: 'audit_entry_not_found',
    });
    await operator.restoreState('k', emptied!.id, { version: await version(), ...ANN });
    await send('b');
    expect((await operator.audit()).entries).toHaveLength(3);
    await operator.restoreState('k', made!.id, { version: await version(), ...ANN });
    expect(await operator.state('k')).toBeUndefined();
  });

  test('is refused what no data updater could start with, or is too large', async () => {
    const { operator } = await startOperated(where, undefined, { stateLimit: 100 });
    const large = operator.editState('k', { ids: ['x'.repeat(100)] }, ANN);
    await expect(large).rejects.toMatchObject({ code: 'state_encode' });
    await expect(operator.editState('k', { at: new Date(0) }, ANN)).rejects.toMatchObject({ code: 'state_encode' });
    await expect(operator.editState('k', undefined, ANN)).rejects.toMatchObject({ code: 'state_encode' });
    expect(await operator.audit()).toEqual({ entries: [], more: false });
  });

  test('waits for the callback that runs, and for the commits before', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler<Ledger>({
      ...ledger,
      handleMessage: async (id, state) => {
        await gates.at(id);
        state.ids.push(id);
      },
    });
    const { send, operator, version } = await startOperated(where, handler);
    await send('a');
    gates.open('a');
    await rest();
    const seen = await version();
    await send('b', 'c');
    const edit = watch(operator.editState('k', { ids: ['x'] }, { version: seen, ...ANN }));
    await rest();
    expect(edit.state).toBe('pending');
    gates.open('b');
    await rest();
    expect(edit.state).toBe('rejected'); // What ran had changed the state.
    gates.open('c');
    await rest();
    expect(await operator.state('k')).toMatchObject({ state: { ids: ['a', 'b', 'c'] } });
  });

  test('says who and why, or nothing is asked', async () => {
    const { operator } = await startOperated(where);
    const refused = { code: 'invalid_message' };
    for (const wrong of ['', '  ', 'x'.repeat(1_001), 'zero \0', '\ud800', undefined as never, 7 as never]) {
      await expect(operator.editState('k', {}, { ...ANN, by: wrong })).rejects.toMatchObject(refused);
      await expect(operator.forgetState('k', { version: 1, ...ANN, reason: wrong })).rejects.toMatchObject(refused);
    }
    await expect(operator.editState('k', {}, { version: 1.5, ...ANN })).rejects.toMatchObject(refused);
    await expect(operator.forgetState('k', { version: 0, ...ANN })).rejects.toMatchObject(refused);
    await expect(operator.audit({ since: 'yesterday' as never })).rejects.toMatchObject(refused);
  });
});

test('an operator elsewhere edits a state of an earlier form in that form, and the handler migrates it', async () => {
  const migrating = new RecordingHandler<Ledger>(ledger) as RecordingHandler<Ledger> & DataUpdaterHandler<Ledger>;
  migrating.migrate = (state, from) => ({ ids: [`from ${from}`, ...(state as { old: string[] }).old] });
  const links = new LinkedTransports(memory({ totalCount: 1 }).broker);
  const store = () => memoryStore({ database });
  const database = new MemoryStoreDatabase();
  const old = await startEngine(new RecordingHandler({ init: () => ({ old: ['a'] }) }), {
    transport: links.open('old'),
    store: store(),
    stateVersion: 2,
  });
  const { clock } = old;
  await old.publish('k', 'a', { messageId: 'a' });
  await rest();
  await old.engine.stop();
  const owner = await startEngine(migrating, {
    clock,
    transport: links.open('owner'),
    store: store(),
    stateVersion: 3,
  });
  const other = await startEngine(new RecordingHandler(), {
    producerOnly: true,
    clock,
    transport: links.open('other'),
    store: store(),
  });
  const operator = new MississippiOperator({ engine: other.engine });
  const { state, version, form } = (await operator.state<{ old: string[] }>('k'))!;
  expect({ state, form }).toEqual({ state: { old: ['a'] }, form: 2 });
  await operator.editState('k', { old: [...state!.old, 'edited'] }, { version, ...ANN });
  await owner.publish('k', 'b', { messageId: 'b' });
  await rest();
  expect(await operator.state('k')).toMatchObject({ form: 3, state: { ids: ['from 2', 'a', 'edited', 'b'] } });
});

test('a state that the owner could not read is not taken, though the process that gives it could', async () => {
  const links = new LinkedTransports(memory({ totalCount: 1 }).broker);
  const database = new MemoryStoreDatabase();
  const store = () => memoryStore({ database });
  const { clock } = await startEngine(new RecordingHandler(), { transport: links.open('owner'), store: store() });
  const other = await startEngine(new RecordingHandler(), {
    producerOnly: true,
    clock,
    transport: links.open('other'),
    store: store(),
    state: { encode: () => Buffer.from('no JSON'), decode: (bytes) => bytes },
  });
  await rest();
  const operator = new MississippiOperator({ engine: other.engine });
  await expect(operator.editState('k', {}, ANN)).rejects.toMatchObject({ name: 'StateEncodeError' });
  expect(await operator.state('k')).toBeUndefined();
});

test('a state that cannot be read is mended by an edit', async () => {
  const world = new World();
  const first = await world.start(new RecordingHandler({ init: () => Buffer.from('no JSON') }), {
    state: { encode: (value) => value as Uint8Array, decode: (bytes) => bytes },
  });
  await first.send('k', 'a');
  await first.engine.stop();
  const second = await world.start(ledger);
  const operator = new MississippiOperator(second);
  await second.send('k', 'b');
  const report = await operator.state('k');
  expect(report).toMatchObject({ state: undefined, problem: expect.stringContaining('cannot be decoded') as string });
  await operator.editState('k', { ids: ['mended'] }, { version: report!.version, ...ANN });
  await second.clock.advance(60_000);
  await rest();
  expect(world.state('k')).toEqual({ ids: ['mended', 'b'] });
  const { entries } = await operator.audit({ key: 'k' });
  expect(entries).toMatchObject([{ previous: undefined, problem: expect.any(String) as string }]);
  expect(Buffer.from(entries[0]!.previousBytes!).toString()).toBe('no JSON');
});

test('binary states, dates and undefined travel as the codec has them', async () => {
  const codec = {
    encode: (value: unknown) => Buffer.from(JSON.stringify({ at: (value as { at: Date }).at.getTime() })),
    decode: (bytes: Uint8Array) => ({ at: new Date((JSON.parse(Buffer.from(bytes).toString()) as { at: number }).at) }),
  };
  const links = new LinkedTransports(memory({ totalCount: 1 }).broker);
  const database = new MemoryStoreDatabase();
  const parts = () => ({ store: memoryStore({ database }), state: codec });
  const { clock } = await startEngine(new RecordingHandler(), { ...parts(), transport: links.open('owner') });
  const other = await startEngine(new RecordingHandler(), {
    ...parts(),
    producerOnly: true,
    clock,
    transport: links.open('other'),
  });
  await rest();
  const operator = new MississippiOperator({ engine: other.engine });
  await operator.editState('k', { at: new Date(7) }, ANN);
  expect(await operator.state('k')).toMatchObject({ state: { at: new Date(7) } });
});

test('shows states in the trail as redact lets them be seen, and no bytes', async () => {
  const { operator, version } = await startOperated('here', undefined, {
    redact: (state, { what, key }) => `${what} of ${String(key)}: ${(state as Ledger).ids.length}`,
  });
  await operator.editState('k', { ids: ['secret'] }, ANN);
  await operator.editState('k', { ids: [] }, { version: await version(), ...ANN });
  const { entries } = await operator.audit({ key: 'k', limit: 1 });
  expect(entries).toMatchObject([{ previous: 'state of k: 1', previousBytes: undefined }]);
  expect(await operator.state('k')).toMatchObject({ state: 'state of k: 0', bytes: undefined });
});

test.each<[string, NonNullable<MississippiOptions['redact']>, boolean]>([
  ['the same value', (state) => state, false],
  ['a copy of it', (state) => ({ ...(state as Ledger) }), false],
  ['less of it', () => ({}), true],
  ['the value that it was given, changed', (state) => Object.assign(state as Ledger, { ids: [] }), true],
  [
    'nothing, since it fails',
    () => {
      throw new Error('no idea');
    },
    true,
  ],
])('says whether redact shows something else than the state: %s', async (_what, redact, expected) => {
  const { send, operator } = await startOperated('here', undefined, { redact });
  await send('a');
  expect(await operator.state('k')).toMatchObject({ redacted: expected });
});

test('lists the trail of one key or all, from a time on, up to a limit', async () => {
  const { operator, clock } = await startOperated('here');
  for (const key of ['a', 'b', 'a']) {
    await clock.advance(1_000);
    const version = (await operator.state(key))?.version;
    await operator.editState(key, { ids: [] }, { version, ...ANN });
  }
  const keys = async (...filter: Parameters<typeof operator.audit>) => {
    const { entries, more } = await operator.audit(...filter);
    return [entries.map(({ key }) => key).join(), more];
  };
  expect(await keys()).toEqual(['a,b,a', false]);
  expect(await keys({ key: 'a' })).toEqual(['a,a', false]);
  expect(await keys({ limit: 2 })).toEqual(['a,b', true]);
  expect(await keys({ since: new Date(clock.time() - 1_000) })).toEqual(['a,b', false]);
});

test('an edit is refused from other processes where the option says so, and a look is not', async () => {
  const { operator } = await startOperated('elsewhere', undefined, { remoteOperator: false });
  const refused = { code: 'remote_operator_disabled' };
  await expect(operator.editState('k', { ids: [] }, ANN)).rejects.toMatchObject(refused);
  await expect(operator.forgetState('k', { version: 1, ...ANN })).rejects.toMatchObject(refused);
  expect(await operator.state('k')).toBeUndefined();
});

test('without a store there is no state to look at, and none to change', async () => {
  const links = new LinkedTransports(memory({ totalCount: 1 }).broker);
  const { engine, clock } = await startEngine(new RecordingHandler(), { transport: links.open('owner') });
  const here = new MississippiOperator({ engine });
  const refused = { code: 'no_store' };
  await expect(here.state('k')).rejects.toMatchObject(refused);
  await expect(here.editState('k', {}, ANN)).rejects.toMatchObject(refused);
  await expect(here.forgetState('k', { version: 1, ...ANN })).rejects.toMatchObject(refused);
  await expect(here.audit()).rejects.toMatchObject(refused);
  const store = memoryStore();
  const other = await startEngine(new RecordingHandler(), {
    producerOnly: true,
    clock,
    transport: links.open('x'),
    store,
  });
  const elsewhere = new MississippiOperator({ engine: other.engine });
  await expect(elsewhere.editState('k', {}, ANN)).rejects.toMatchObject(refused);
});

describe('an edit whose commit', () => {
  async function begun(world: World) {
    const engine = await world.start(ledger, { failurePolicy: { attempts: 1 } });
    await engine.send('k', 'a');
    const operator = new MississippiOperator(engine);
    return { ...engine, operator, version: (await operator.state('k'))!.version };
  }

  test('is under way holds up what follows of its key, which starts with the edited state', async () => {
    const world = new World();
    const { send, store, operator, version } = await begun(world);
    const held = store.hold('commit');
    const edit = watch(operator.editState('k', { ids: ['x'] }, { version, ...ANN }));
    await rest();
    await send('k', 'b');
    expect(edit.state).toBe('pending');
    held.release();
    await rest();
    expect(edit.state).toBe('resolved');
    expect(world.state('k')).toEqual({ ids: ['x', 'b'] });
  });

  test('dies with its process leaves the state and no entry', async () => {
    const world = new World();
    const engine = await begun(world);
    engine.store.hold('commit');
    const edit = watch(engine.operator.editState('k', { ids: ['x'] }, { version: engine.version, ...ANN }));
    await rest();
    await engine.kill();
    expect(edit.state).not.toBe('resolved');
    const next = await world.start(ledger);
    await next.send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect((await new MississippiOperator(next).audit()).entries).toEqual([]);
  });

  test('has happened when its process dies before it hears of it leaves both', async () => {
    const world = new World();
    const engine = await begun(world);
    engine.store.holdAnswer('commit');
    const edit = watch(engine.operator.editState('k', { ids: ['x'] }, { version: engine.version, ...ANN }));
    await rest();
    await engine.kill();
    expect(edit.state).not.toBe('resolved');
    const next = await world.start(ledger);
    await next.send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['x', 'b'] });
    expect((await new MississippiOperator(next).audit()).entries).toHaveLength(1);
  });

  test('is stale, since another process has the shard, is told so, and writes nothing', async () => {
    const world = new World();
    const engine = await begun(world);
    const held = engine.store.hold('commit');
    const edit = watch(engine.operator.editState('k', { ids: ['x'] }, { version: engine.version, ...ANN }));
    await rest();
    const other = await memoryStore({ database: world.database }).connect({
      instance: 'default',
      logger: console,
      keyText: () => '',
      clock: world.clock,
      shards: { transport: 'memory', totalCount: 1, hash: 'phash2' },
      exclusive: false,
      inboxHorizon: 1,
      settleTime: 1,
    });
    await other.openShard(0);
    held.release();
    await rest();
    expect(edit.state).toBe('rejected');
    expect(edit.value).toMatchObject({ code: 'signal_outcome_unknown' });
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(await other.audit({ key: undefined, since: undefined, limit: 9 })).toEqual([]);
  });

  test('is refused by the store is told so, and the key goes on with the state before', async () => {
    const world = new World();
    const { send, store, operator, version } = await begun(world);
    const mend = store.refuse(({ audit }) => audit.length > 0);
    const edit = operator.editState('k', { ids: ['x'] }, { version, ...ANN });
    await expect(edit).rejects.toMatchObject({ code: 'commit_refused' });
    mend();
    await send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
  });

  test('comes behind one that is refused is made on what is left', async () => {
    const world = new World();
    const { send, store, operator, version } = await begun(world);
    store.refuseMessage('bad');
    const held = store.hold('commit');
    await send('k', 'bad');
    const edit = watch(operator.editState('k', { ids: ['x'] }, { version, ...ANN }));
    await rest();
    expect(edit.state).toBe('pending');
    held.release();
    await rest();
    expect(edit.state).toBe('resolved');
    expect(world.state('k')).toEqual({ ids: ['x'] });
  });
});

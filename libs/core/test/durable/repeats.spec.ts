import { discard, NOTE_HEADERS, type DataUpdaterHandler } from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';

function recording(script: Partial<DataUpdaterHandler<Ledger, string>> = {}) {
  const handler = new RecordingHandler<Ledger>({ ...ledger, ...script });
  return { handler, own: handler };
}

describe('a message id is handled once', () => {
  test('also when it is published twice, at once or later', async () => {
    const world = new World();
    const { handler, own } = recording();
    const { send, of } = await world.start(own);
    await send('k', 'a', 'a', 'b');
    await send('k', 'a');
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(of('skipped').map(({ messageId }) => messageId)).toEqual(['a', 'a']);
    expect(world.broker.length).toBe(0);
  });

  test('also when the process was killed between its commit and its ack', async () => {
    const world = new World();
    const first = await world.start(ledger);
    const held = first.store.holdAnswer('commit');
    await first.send('k', 'a');
    await held.reached;
    await first.kill();
    expect(world.broker.length).toBe(1);
    const { handler, own } = recording();
    await world.start(own);
    await rest();
    expect(handler.messages('k')).toEqual([]);
    expect(world.state('k')).toEqual({ ids: ['a'] });
    expect(world.broker.length).toBe(0);
  });

  test('while its first delivery waits for the commit; the repeat is acked after that', async () => {
    const world = new World();
    const { handler, own } = recording();
    const { send, store } = await world.start(own);
    const held = store.hold('commit');
    await send('k', 'a', 'a');
    expect(handler.messages('k')).toEqual(['a']);
    expect(world.broker.length).toBe(2);
    held.release();
    await rest();
    expect(handler.messages('k')).toEqual(['a']);
    expect(world.broker.length).toBe(0);
  });

  test('where the repeat comes to its turn again, because what stood before it was refused', async () => {
    const world = new World();
    const gates = new Gates();
    const { handler, own } = recording({
      async handleMessage(payload, state) {
        if (payload === 'gate') await gates.at('gate');
        state.ids.push(payload);
      },
    });
    const { send, store, of, clock } = await world.start(own, { failurePolicy: { backoff: { initial: 100 } } });
    await send('k', 'gate');
    await send('k', 'a', 'b', 'a'); // Looked up before the first is committed.
    const end = store.refuseMessage('b');
    const third = store.hold('commit', 3); // All of it is refused, its first half is committed.
    gates.open('gate', undefined);
    await rest();
    await send('k', 'c'); // Looked up after that.
    third.release();
    for (let n = 0; n < 3; n++) {
      await rest();
      await clock.advance(20);
    }
    end();
    await clock.advance(1_000);
    await rest();
    expect(handler.messages('k').filter((id) => id === 'a')).toHaveLength(1);
    expect(world.state('k')).toEqual({ ids: ['gate', 'a', 'b', 'c'] });
    expect(of('shardLost')).toEqual([]);
  });

  test('and goes round through the side queue no more than once', async () => {
    const world = new World();
    const { handler, own } = recording();
    const { send, service } = await world.start(own);
    await send('k', 'a');
    await service.park('k');
    await send('k', 'a', 'b');
    expect(world.broker.parkedCount(0)).toBe(1);
    await service.resume('k');
    await rest();
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(world.broker.length + world.broker.parkedCount(0)).toBe(0);
  });

  test('where it was moved to the side queue, and lies in the shard still', async () => {
    const world = new World();
    const { handler, own } = recording();
    const { send, service } = await world.start(own);
    await service.park('k');
    await send('k', 'a', 'a');
    expect(world.broker.parkedCount(0)).toBe(2);
    await service.resume('k');
    await rest();
    expect(handler.messages('k')).toEqual(['a']);
    expect(world.broker.parkedCount(0)).toBe(0);
  });

  test('and a repeat that waits when its key is parked is acked, not moved', async () => {
    const world = new World();
    const gates = new Gates();
    const { own } = recording({
      async handleMessage(payload, state) {
        if (payload === 'b') await gates.at('b');
        state.ids.push(payload);
      },
    });
    const { send, service } = await world.start(own);
    await send('k', 'a', 'b', 'a', 'c');
    await service.park('k');
    gates.open('b', undefined);
    await rest();
    expect(world.broker.parkedCount(0)).toBe(1);
    expect(world.broker.length).toBe(0);
  });
});

describe('an id that another message had', () => {
  test('sends a message to the dead letters, and those behind it go on', async () => {
    const world = new World();
    const { publish, send } = await world.start(ledger);
    await send('k', 'a');
    await publish('k', 'other', { messageId: 'a' });
    await send('k', 'b');
    expect(world.broker.deadLetters).toMatchObject([
      { messageId: 'a', headers: { [NOTE_HEADERS.reason]: 'message_id_conflict' } },
    ]);
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(world.entry('k', 'a')).toMatchObject({ outcome: 'handled' });
  });

  test('whose dead letter the store refuses costs the shard nothing', async () => {
    const world = new World();
    const { publish, send, store, of, clock } = await world.start(ledger);
    await send('k', 'a');
    const end = store.refuse(({ outbox }) => outbox.some(({ kind }) => kind === 'deadLetter'));
    await publish('k', 'other', { messageId: 'a' });
    for (let n = 0; n < 5; n++) {
      await rest();
      await clock.advance(100);
    }
    end();
    expect(world.broker.deadLetters).toHaveLength(1);
    expect(of('shardLost')).toEqual([]);
    expect(world.broker.length).toBe(0);
  });

  test('is a conflict for an operator who drops it too', async () => {
    const world = new World();
    const { publish, send, service } = await world.start(ledger);
    await send('k', 'a');
    await service.park('k');
    await publish('k', 'other', { messageId: 'a' });
    await rest();
    await service.drop('k');
    await rest();
    expect(world.broker.deadLetters).toMatchObject([{ headers: { [NOTE_HEADERS.reason]: 'message_id_conflict' } }]);
    expect(world.entry('k', 'a')).toMatchObject({ outcome: 'handled' });
    expect(world.broker.parkedCount(0)).toBe(0);
  });
});

describe('a message without an id', () => {
  test.each([undefined, ''])(
    '(%j) is handled each time that it comes, counted, and warned of once',
    async (messageId) => {
      const world = new World();
      const { service, logs } = await world.start(ledger);
      const own = messageId === undefined ? {} : { messageId };
      for (let n = 0; n < 2; n++) {
        world.broker.inject(0, { key: encodeShardingKey('k'), body: Buffer.from('"a"'), ...own });
        await rest();
      }
      expect(world.state('k')).toEqual({ ids: ['a', 'a'] });
      expect(service.status().store).toMatchObject({ connected: true, messagesWithoutId: 2 });
      expect(logs.filter((line) => line.includes('without an id'))).toHaveLength(1);
    },
  );
});

describe('a direct message', () => {
  test('whose id was handled before resolves as a duplicate', async () => {
    const world = new World();
    const { handler, own } = recording();
    const { service, send } = await world.start(own);
    await send('k', 'a');
    await expect(service.handleMessage('k', { payload: 'a', messageId: 'a' })).resolves.toMatchObject({
      kind: 'ack',
      duplicate: true,
    });
    expect(handler.messages('k')).toEqual(['a']);
  });

  test('with the id of another one is refused', async () => {
    const world = new World();
    const { service, send } = await world.start(ledger);
    await send('k', 'a');
    await expect(service.handleMessage('k', { payload: 'b', messageId: 'a' })).rejects.toMatchObject({
      code: 'message_id_conflict',
    });
  });

  test('is compared as it came, though the handler changes it', async () => {
    const world = new World();
    const { service } = await world.start({ handleMessage: (payload: { n: number }) => void payload.n++ });
    await service.handleMessage('k', { payload: { n: 1 }, messageId: 'a' });
    await expect(service.handleMessage('k', { payload: { n: 1 }, messageId: 'a' })).resolves.toMatchObject({
      duplicate: true,
    });
  });

  test('that cannot be encoded, so that nothing could be compared, is refused at once', async () => {
    const world = new World();
    const { service, send } = await world.start(ledger);
    await expect(service.handleMessage('k', { payload: 1n, messageId: 'a' })).rejects.toMatchObject({
      code: 'payload_unencodable',
    });
    await send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['b'] });
  });

  test('whose time is up while it is committed runs still, as its error says', async () => {
    const world = new World();
    const { service, store, clock } = await world.start(ledger);
    const held = store.hold('commit');
    const direct = watch(service.handleMessage('k', { payload: 'a', messageId: 'a' }, { timeout: 1_000 }));
    await rest();
    await clock.advance(1_000);
    expect(direct).toMatchObject({ state: 'rejected', value: { code: 'message_timeout', stage: 'running' } });
    held.release();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('whose caller is gone is not tried again behind what the store refused', async () => {
    const world = new World();
    const { handler, own } = recording();
    const { service, send, store, clock } = await world.start(own, { failurePolicy: { backoff: { initial: 5_000 } } });
    const end = store.refuseMessage('a');
    const held = store.hold('commit');
    await send('k', 'a');
    const direct = watch(service.handleMessage('k', { payload: 'b', messageId: 'b' }, { timeout: 1_000 }));
    await rest();
    await clock.advance(1_000);
    held.release();
    for (let n = 0; n < 5; n++) {
      await rest();
      await clock.advance(100);
    }
    end();
    await clock.advance(20_000);
    await rest();
    expect(direct.state).toBe('rejected');
    expect(handler.messages('k')).toEqual(['a', 'b', 'a']);
    expect(world.state('k')).toEqual({ ids: ['a'] });
  });

  test('that a discard refuses is told as discarded', async () => {
    const world = new World();
    const { service, of } = await world.start({ handleMessage: () => discard('no') });
    await expect(service.handleMessage('k', { payload: 'a', messageId: 'a' })).resolves.toMatchObject({
      kind: 'discard',
    });
    expect(of('discarded')).toHaveLength(1);
    expect(of('handled')).toEqual([]);
  });
});

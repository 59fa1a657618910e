import { ack, discard, type LiveKey, type MississippiEvent } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** An engine of one shard whose `init` and attempts wait at gates where the payload or key says so. */
async function startGated(options: { concurrency?: number } = {}) {
  const gates = new Gates<unknown>();
  const handler = new RecordingHandler({
    init: (key) => (key === 'starting' ? gates.at('init') : undefined),
    handleMessage: (payload) => (payload === 'quick' ? undefined : (gates.at(payload) as Promise<undefined>)),
    terminate: (_, __, { key }) => (key === 'ending' ? (gates.at('terminate') as Promise<void>) : undefined),
  });
  const engine = await startEngine(handler, { ...options, memory: { totalCount: 1 }, idleTimeout: 10_000 });
  const row = (key: string): LiveKey | undefined => [...engine.service.liveKeys()].find((live) => live.key === key);
  return { gates, row, broker: engine.transport.broker, ...engine };
}

function typesOf(events: readonly MississippiEvent[]): string[] {
  return events.map(({ type }) => type);
}

describe('a row of liveKeys', () => {
  test('tells key, shard, epoch, age, messages and attempt', async () => {
    const { send, row, clock, gates } = await startGated();
    await send('k', 'a', 'b');
    await clock.advance(250);
    expect(row('k')).toEqual({
      key: 'k',
      shard: 0,
      epoch: 1,
      state: 'running',
      age: 250,
      queued: 2,
      parked: 0,
      attempt: 1,
      lastError: undefined,
    });
    gates.open('a', undefined);
    await settled();
    gates.open('b', undefined);
    await settled();
    expect(row('k')).toMatchObject({ state: 'idle', queued: 0, attempt: 0 });
  });

  test('starting: its init runs', async () => {
    const { send, row } = await startGated();
    await send('starting', 'quick');
    expect(row('starting')).toMatchObject({ state: 'starting', age: undefined, queued: 1 });
  });

  test('backoff: its head waits for the next attempt', async () => {
    const { send, row, gates, clock } = await startGated();
    await send('k', 'a');
    const broken = new Error('broken');
    gates.fail('a', broken);
    await settled();
    expect(row('k')).toMatchObject({ state: 'backoff', attempt: 1, lastError: broken, age: undefined });
    await clock.advance(100);
    expect(row('k')).toMatchObject({ state: 'running', attempt: 2, lastError: broken });
    gates.open('a', undefined);
    await settled();
    expect(row('k')).toMatchObject({ state: 'idle', lastError: undefined });
  });

  test('ready: it wants a concurrency slot', async () => {
    const { send, row } = await startGated({ concurrency: 1 });
    await send('k', 'a');
    await send('l', 'b');
    expect(row('l')).toMatchObject({ state: 'ready', queued: 1, attempt: 1 });
  });

  test('settling: its dead letter is not confirmed yet', async () => {
    const { send, row, gates, broker } = await startGated();
    await send('k', 'a');
    broker.block();
    gates.open('a', discard('no'));
    await settled();
    expect(row('k')).toMatchObject({ state: 'settling', queued: 1 });
  });

  test('parked: its messages lie in the side queue', async () => {
    const { send, row, service } = await startGated();
    await service.park('k');
    await send('k', 'a', 'b');
    expect(row('k')).toMatchObject({ state: 'parked', queued: 0, parked: 2 });
  });

  test('ending: its terminate runs', async () => {
    const { send, row, clock, gates } = await startGated();
    await send('ending', 'quick');
    await clock.advance(10_000);
    expect(row('ending')).toMatchObject({ state: 'ending' });
    gates.open('terminate', undefined);
    await settled();
    expect(row('ending')).toBeUndefined();
  });

  test('is gone with its key', async () => {
    const { send, row, clock } = await startGated();
    await send('k', 'quick');
    expect(row('k')).toMatchObject({ state: 'idle', age: 0 });
    await clock.advance(10_000);
    expect(row('k')).toBeUndefined();
  });
});

test('status counts what the process owns, does and waits for', async () => {
  const { send, service, gates } = await startGated();
  expect(service.status()).toMatchObject({
    transport: { connected: true, blocked: false, shards: 1 },
    shards: 1,
    stalledShards: [],
    liveKeys: 0,
    runningAttempts: 0,
    backoffs: 0,
    failingInits: 0,
    parkedKeys: 0,
    parkedMessages: 0,
  });
  await send('idle', 'quick');
  await send('running', 'a');
  await send('failing', 'b');
  gates.fail('b', new Error('broken'));
  await service.park('parked');
  await send('parked', 'c', 'd');
  expect(service.status()).toMatchObject({
    liveKeys: 2,
    runningAttempts: 1,
    backoffs: 1,
    parkedKeys: 1,
    parkedMessages: 2,
  });
});

describe('events', () => {
  test('tell the life of a message and of its data updater, in order', async () => {
    const { send, events, clock, gates } = await startGated();
    await send('k', 'a');
    gates.fail('a', new Error('broken'));
    await clock.advance(100);
    gates.open('a', ack());
    await settled();
    await clock.advance(10_000);
    expect(typesOf(events)).toEqual([
      'shardOwned',
      'started',
      'attemptStarted',
      'retried',
      'deactivated',
      'started',
      'attemptStarted',
      'handled',
      'deactivated',
    ]);
  });

  test('name key, shard, epoch, message and attempt', async () => {
    const { publish, of } = await startGated();
    await publish('k', 'quick', { messageId: 'id-1' });
    await settled();
    const place = { key: 'k', shard: 0, epoch: 1 };
    expect(of('handled')).toEqual([{ type: 'handled', ...place, messageId: 'id-1', attempt: 1 }]);
    expect(of('started')).toEqual([{ type: 'started', ...place }]);
  });

  test('tell of signals, discards, dead letters, and of parking and its end', async () => {
    const { send, events, gates, service } = await startGated();
    await service.handleSignal('k', 's');
    await send('k', 'a');
    gates.open('a', discard('no'));
    await settled();
    await service.park('k');
    await send('k', 'quick');
    await service.resume('k');
    await settled();
    expect(typesOf(events).slice(2)).toEqual([
      'signalled',
      'attemptStarted',
      'discarded',
      'deadLettered',
      'parked',
      'resumed',
      'attemptStarted',
      'handled',
      'unparked',
    ]);
  });

  test('tell of shards that are owned, lost and given back', async () => {
    const { engine, events, broker } = await startGated();
    broker.loseShard(0);
    await settled();
    await engine.stop();
    expect(events).toEqual([
      { type: 'shardOwned', shard: 0, epoch: 1 },
      { type: 'shardLost', shard: 0, epoch: 1 },
      { type: 'shardOwned', shard: 0, epoch: 2 },
      { type: 'shardReleased', shard: 0, epoch: 2 },
    ]);
  });
});

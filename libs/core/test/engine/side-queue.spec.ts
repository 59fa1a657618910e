import { memory, type MemoryBroker } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { ScriptedDelivery, ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

const BROKEN = new Error('broken');

/** An engine of one shard that fails at messages called `bad...` until healed, and parks at once what fails. */
async function startParking(options: { broker?: MemoryBroker; sideQueueLimit?: number; prefetch?: number } = {}) {
  const { broker = memory({ totalCount: 1 }).broker, prefetch = 300, sideQueueLimit = 10_000 } = options;
  let healthy = false;
  const handler = new RecordingHandler({
    handleMessage: (payload) => (payload.startsWith('bad') && !healthy ? Promise.reject(BROKEN) : undefined),
  });
  const engine = await startEngine(handler, {
    memory: { broker, prefetch },
    sideQueueLimit,
    failurePolicy: { attempts: 1, onExhausted: 'park' },
  });
  return {
    handler,
    broker,
    heal: () => {
      healthy = true;
    },
    ...engine,
  };
}

describe('a new owner', () => {
  test('reads the side queue before it starts any message: a held key stays held, and later messages join it', async () => {
    const old = await startParking();
    await old.send('k', 'bad', 'b');
    await old.engine.stop();
    const { send, handler, broker, service, heal } = await startParking({ broker: old.broker });
    heal();
    await send('k', 'c');
    await send('l', 'd');
    expect(handler.calls).toEqual(['l init', 'l message d']);
    expect(broker.parkedCount(0)).toBe(3);
    expect([...service.liveKeys()]).toContainEqual(expect.objectContaining({ key: 'k', state: 'parked', parked: 3 }));
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'b', 'c']);
  });

  test('goes on by itself with what was parked under pressure', async () => {
    const handler = new RecordingHandler();
    const transport = new ScriptedTransport();
    await startEngine(handler, { transport });
    const epoch = transport.own([new ScriptedDelivery('k', 'a', false), new ScriptedDelivery('k', 'b', false)]);
    epoch.deliver('k', 'c');
    await settled();
    expect(epoch.moved).toEqual(['c']);
    expect(handler.messages('k')).toEqual(['a', 'b', 'c']);
    expect(epoch.settled).toEqual(['a', 'b', 'c']);
    epoch.lose();
    transport.own([new ScriptedDelivery('l', 'd', false)]);
    await settled();
    expect(handler.messages('l')).toEqual(['d']);
  });

  test('gets a key that was resumed in the middle in the same order', async () => {
    const gates = new Gates();
    const { broker } = memory({ totalCount: 1 });
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const first = await startEngine(handler, { memory: { broker } });
    await first.service.park('k');
    await first.send('k', '1', '2', '3');
    await first.service.resume('k');
    await settled();
    gates.open('1');
    await settled();
    const stopped = first.engine.stop();
    gates.open('2');
    await stopped;
    const second = await startParking({ broker });
    await second.send('k', '4');
    await second.service.resume('k');
    await settled();
    expect(second.handler.messages('k')).toEqual(['3', '4']);
  });
});

describe('moves', () => {
  test('are confirmed before the message is settled; during an alarm nothing is moved and the key waits', async () => {
    const { publish, broker, handler } = await startParking();
    const sent = ['bad', 'b'].map((payload) => publish('k', payload));
    const other = publish('l', 'other');
    broker.block();
    await Promise.all([...sent, other]);
    await settled();
    expect(broker.parkedCount(0)).toBe(0);
    expect(broker.length).toBe(2);
    expect(handler.messages('k')).toEqual(['bad']);
    expect(handler.messages('l')).toEqual(['other']);
    broker.unblock();
    await settled();
    expect(broker.parkedCount(0)).toBe(2);
    expect(broker.length).toBe(0);
  });

  test('end with the epoch: what was not confirmed comes back in its place', async () => {
    const { publish, broker, handler, service, heal } = await startParking();
    const sent = ['bad', 'b'].map((payload) => publish('k', payload));
    broker.block();
    await Promise.all(sent);
    await settled();
    heal();
    broker.loseShard(0);
    broker.unblock();
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'b']);
    expect(broker.parkedCount(0)).toBe(0);
    expect(service.status()).toMatchObject({ parkedKeys: 0, parkedMessages: 0 });
  });

  test('that are under way are waited for by the hand-over of the shard', async () => {
    const transport = new ScriptedTransport();
    const { service } = await startEngine(new RecordingHandler(), { transport });
    const epoch = transport.own();
    let confirm = (): void => undefined;
    epoch.moves = new Promise((resolve) => {
      confirm = resolve;
    });
    await service.park('k');
    epoch.deliver('k', 'a');
    const released = watch(epoch.receiver.release());
    await settled();
    expect(released.state).toBe('pending');
    confirm();
    await settled();
    expect(released.state).toBe('resolved');
    expect(epoch.moved).toEqual(['a']);
  });
});

describe('a full side queue', () => {
  test('stalls its shard, and the health says so: nothing is lost or reordered', async () => {
    const { send, broker, service, handler } = await startParking({ sideQueueLimit: 3, prefetch: 4 });
    await send('k', 'bad', '2', '3');
    expect(service.status().stalledShards).toEqual([]);
    await send('k', '4', '5', '6', '7');
    expect(broker.parkedCount(0)).toBe(3);
    expect(broker.length).toBe(4);
    expect(service.status()).toMatchObject({ stalledShards: [0], parkedMessages: 7 });
    await send('l', 'other');
    expect(handler.messages('l')).toEqual([]);
  });

  test('goes on as soon as a parked message is dropped or handled, in order', async () => {
    const { send, broker, service, handler, heal } = await startParking({ sideQueueLimit: 3, prefetch: 4 });
    await send('k', 'bad', '2', '3', '4', '5', '6', '7');
    await send('l', 'other');
    await service.drop('k');
    await settled();
    expect(broker.parkedCount(0)).toBe(3);
    expect(handler.messages('l')).toEqual(['other']);
    heal();
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', '2', '3', '4', '5', '6', '7']);
    expect(service.status()).toMatchObject({ stalledShards: [], parkedKeys: 0, parkedMessages: 0 });
    expect(broker.length).toBe(0);
  });

  test('counts what a former owner left in it', async () => {
    const old = await startParking({ sideQueueLimit: 2 });
    await old.send('k', 'bad', '2');
    await old.engine.stop();
    const { send, service, broker } = await startParking({ broker: old.broker, sideQueueLimit: 2 });
    await send('k', '3');
    expect(service.status().stalledShards).toEqual([0]);
    expect(broker.parkedCount(0)).toBe(2);
  });

  test('does not stop the hand-over: what waits for room goes back to its place', async () => {
    const old = await startParking({ sideQueueLimit: 1 });
    await old.send('k', 'bad', '2', '3');
    const stopped = watch(old.engine.stop());
    await settled();
    expect(stopped.state).toBe('resolved');
    const { service, handler, heal, send } = await startParking({ broker: old.broker });
    heal();
    await send('k', '4');
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', '2', '3', '4']);
  });
});

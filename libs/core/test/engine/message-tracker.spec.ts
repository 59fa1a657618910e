import { ack, stop } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

const ONE_SHARD = { memory: { totalCount: 1 } };

/** An engine whose attempts end when the test opens their gate. */
async function startGated() {
  const gates = new Gates();
  const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
  return { gates, handler, ...(await startEngine(handler, ONE_SHARD)) };
}

/** The same on a transport that the test plays. */
async function startScripted(prefetch = 300) {
  const gates = new Gates();
  const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
  const transport = new ScriptedTransport({ prefetch });
  return { gates, handler, ...(await startEngine(handler, { transport })) };
}

/** An object that is taken for a promise. */
function thenable(then: (yes: (value: unknown) => void) => void): object {
  const foreign = {};
  Reflect.set(foreign, 'then', then);
  return foreign;
}

const payloads = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

describe('one tracker a key', () => {
  test('[M1] messages go to the tracker of their key, different keys to different ones', async () => {
    const { send, service } = await startGated();
    await send('k', 'a', 'b');
    await send('l', 'c');
    expect([...service.liveKeys()].map(({ key, queued }) => ({ key, queued }))).toEqual([
      { key: 'k', queued: 2 },
      { key: 'l', queued: 1 },
    ]);
  });

  test('[M2] the shard watches every tracker that it feeds: it is handed over when the last one has ended', async () => {
    const { send, engine, gates } = await startGated();
    await send('k', 'a');
    await send('l', 'b');
    const stopped = watch(engine.stop());
    gates.open('a');
    await settled();
    expect(stopped.state).toBe('pending');
    gates.open('b');
    await settled();
    expect(stopped.state).toBe('resolved');
  });

  test('[M3] a tracker that ends normally leaves its shard and the other trackers alone', async () => {
    const handler = new RecordingHandler({ handleMessage: (payload) => (payload === 'bye' ? stop('done') : ack()) });
    const { send, of } = await startEngine(handler, ONE_SHARD);
    await send('l', 'a');
    await send('k', 'bye');
    await send('l', 'b');
    expect(of('shardLost')).toEqual([]);
    expect(handler.of('l')).toEqual(['init', 'message a', 'message b']);
  });

  test('[M4] [M15] a tracker dies with its epoch, and its messages come back in the original order', async () => {
    const { send, transport, handler, gates } = await startGated();
    await send('k', 'a', 'b', 'c');
    transport.broker.loseShard(0);
    gates.fail('a', new Error('lost'));
    for (const name of ['a', 'b', 'c']) {
      await settled();
      gates.open(name);
    }
    expect(handler.messages('k')).toEqual(['a', 'a', 'b', 'c']);
  });

  test('[M12] a tracker is started for a key by its first message', async () => {
    const { send, service } = await startGated();
    expect([...service.liveKeys()]).toEqual([]);
    await send('k', 'a');
    expect([...service.liveKeys()]).toMatchObject([{ key: 'k', queued: 1 }]);
  });

  test('[M13] a tracker is never doubled for the same key, whatever feeds it', async () => {
    const { send, service, gates } = await startGated();
    await send('k', 'a', 'b');
    const direct = service.handleMessage('k', { payload: 'c' });
    const signal = service.handleSignal('k', 's');
    expect([...service.liveKeys()]).toMatchObject([{ key: 'k', queued: 3 }]);
    for (const name of ['a', 'b', 'c']) {
      expect(gates.names).toEqual([name]);
      gates.open(name);
      await settled();
    }
    await Promise.all([direct, signal]);
  });

  test('[M14] a tracker is started anew after it ended', async () => {
    const handler = new RecordingHandler({ handleMessage: () => stop('done') });
    const { send, service } = await startEngine(handler);
    await send('k', 'a');
    expect([...service.liveKeys()]).toEqual([]);
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });
});

describe('order', () => {
  test('[M18] the order of a key is kept, and the next message is handed over only when the head is settled', async () => {
    const { transport, gates } = await startScripted();
    const epoch = transport.own();
    for (const payload of payloads(1, 20)) epoch.deliver('k', payload);
    for (const payload of payloads(1, 20)) {
      await settled();
      expect(gates.names).toEqual([payload]);
      expect(epoch.settled).toEqual(payloads(1, Number(payload) - 1));
      gates.open(payload);
    }
    await settled();
    expect(epoch.settled).toEqual(payloads(1, 20));
  });

  test('[M18] the order is kept for synchronous handlers too, in a backlog as long as the prefetch window', async () => {
    const handler = new RecordingHandler();
    const transport = new ScriptedTransport();
    await startEngine(handler, { transport });
    const epoch = transport.own();
    for (const payload of payloads(1, 300)) epoch.deliver('k', payload);
    await settled();
    expect(handler.messages('k')).toEqual(payloads(1, 300));
    expect(epoch.settled).toEqual(payloads(1, 300));
  });

  test('messages of different keys are settled in the order in which their attempts end', async () => {
    const { transport, gates } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.deliver('l', 'b');
    gates.open('b');
    await settled();
    expect(epoch.settled).toEqual(['b']);
    gates.open('a');
    await settled();
    expect(epoch.settled).toEqual(['b', 'a']);
  });

  test('two spellings of one key are one key', async () => {
    const { transport, gates, engine } = await startGated();
    const inject = (key: number[], payload: string): void =>
      transport.broker.inject(0, {
        key: Buffer.from(key),
        body: Buffer.from(JSON.stringify(payload)),
        messageId: payload,
        timestamp: undefined,
      });
    inject([131, 97, 7], 'small');
    inject([131, 98, 0, 0, 0, 7], 'wide');
    await settled();
    expect(gates.names).toEqual(['small']);
    expect([...engine.liveKeys()]).toMatchObject([{ key: 7, queued: 2 }]);
  });
});

describe('settlement', () => {
  test('[M17] each message is settled once, on the epoch that delivered it', async () => {
    const { transport, gates } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    first.deliver('k', 'b');
    gates.open('a');
    await settled();
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'b');
    gates.open('b');
    await settled();
    expect(first.settled).toEqual(['a']);
    expect(second.settled).toEqual(['b']);
  });

  test('when the epoch has ended nothing of it is settled any more and nothing unstarted of it runs', async () => {
    const { transport, gates, handler } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.deliver('k', 'b');
    epoch.deliver('l', 'c');
    epoch.lose();
    epoch.deliver('m', 'd');
    gates.open('a');
    gates.open('c');
    await settled();
    expect(epoch.settled).toEqual([]);
    expect(handler.calls.filter((call) => call.includes('message'))).toEqual(['k message a', 'l message c']);
  });
});

describe('nothing inside one key stops, skips or reorders another', () => {
  test.each<[string, () => unknown]>([
    [
      'a throw',
      () => {
        throw new Error('broken');
      },
    ],
    ['a rejected promise', () => Promise.reject(new Error('broken'))],
    ['a rejection without an error', () => Promise.reject(undefined)],
    ['a synchronous answer', () => ack()],
    ['no answer', () => new Promise(() => undefined)],
    ['an answer that is none', () => 'nonsense'],
    ['a thenable that answers twice', () => thenable((yes) => [ack(), ack()].forEach(yes))],
    [
      'a thenable that throws',
      () =>
        thenable(() => {
          throw new Error('broken');
        }),
    ],
  ])('%s', async (_, misbehave) => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'bad' ? (misbehave() as undefined) : undefined),
    });
    const { publish, clock, transport } = await startEngine(handler, { ...ONE_SHARD, failurePolicy: { attempts: 2 } });
    for (const payload of ['1', 'bad', '2']) await publish('bad', payload);
    for (const payload of payloads(1, 10)) await publish('k', payload);
    await settled();
    expect(handler.messages('k')).toEqual(payloads(1, 10));
    await clock.advance(400_000);
    await clock.advance(400_000);
    expect(handler.messages('bad').at(-1)).toBe('2');
    expect(transport.broker.length).toBe(0);
  });

  test('a backoff', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'bad' ? Promise.reject(new Error('broken')) : undefined),
    });
    const { send, service } = await startEngine(handler, ONE_SHARD);
    await send('bad', 'bad', 'later');
    await send('k', ...payloads(1, 10));
    expect(service.status().backoffs).toBe(1);
    expect(handler.messages('k')).toEqual(payloads(1, 10));
    expect(handler.messages('bad')).toEqual(['bad']);
  });

  test('an init that never answers', async () => {
    const handler = new RecordingHandler({ init: (key) => (key === 'bad' ? new Promise(() => undefined) : 1) });
    const { send } = await startEngine(handler, ONE_SHARD);
    await send('bad', 'a');
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['b']);
  });
});

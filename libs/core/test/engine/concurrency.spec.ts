import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, text, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** An engine whose attempts and signals end when the test opens the gate of their payload. */
async function startGated(concurrency?: number) {
  const gates = new Gates();
  const handler = new RecordingHandler({
    handleMessage: (payload) => gates.at(payload),
    handleSignal: (signal) => gates.at(String(signal)),
  });
  return { gates, handler, ...(await startEngine(handler, concurrency === undefined ? {} : { concurrency })) };
}

describe('the cap', () => {
  test('is off by default', async () => {
    const { send, gates, service } = await startGated();
    for (let key = 0; key < 500; key++) await send(key, String(key));
    expect(gates.names).toHaveLength(500);
    expect(service.status().runningAttempts).toBe(500);
  });

  test('limits the attempts that run at once in this process, over all shards', async () => {
    const { send, gates, service } = await startGated(2);
    for (const key of ['k', 'l', 'm', 'n']) await send(key, key);
    expect(gates.names).toEqual(['k', 'l']);
    expect(service.status().runningAttempts).toBe(2);
    gates.open('l');
    await settled();
    expect(gates.names).toEqual(['k', 'm']);
    gates.open('k');
    await settled();
    expect(gates.names).toEqual(['m', 'n']);
  });

  test('counts an init that a message caused', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ init: (key) => gates.at(text(key)) });
    const { send } = await startEngine(handler, { concurrency: 1 });
    await send('k', 'a');
    await send('l', 'b');
    expect(gates.names).toEqual(['k']);
    gates.open('k');
    await settled();
    expect(gates.names).toEqual(['l']);
  });

  test('is fair: a key with a long backlog takes turns with the others', async () => {
    const { send, gates } = await startGated(1);
    await send('hot', 'hot1', 'hot2', 'hot3', 'hot4');
    await send('k', 'k1', 'k2');
    const order: string[] = [];
    while (gates.names.length > 0) {
      const [name] = gates.names;
      order.push(name!);
      gates.open(name!);
      await settled();
    }
    expect(order).toEqual(['hot1', 'k1', 'hot2', 'k2', 'hot3', 'hot4']);
  });

  test('loses no slot to a key that is given one and cannot use it any more', async () => {
    const { send, gates, transport, shard } = await startGated(1);
    await send('k', 'a');
    await send('l', 'b');
    await send('m', 'c');
    transport.broker.loseShard(shard('l'));
    await settled();
    for (const name of ['a', 'c', 'b']) {
      expect(gates.names).toEqual([name]);
      gates.open(name);
      await settled();
    }
  });
});

describe('what holds no slot', () => {
  test('a key in backoff', async () => {
    const { send, gates, clock, handler } = await startGated(1);
    await send('k', 'a');
    gates.fail('a', new Error('broken'));
    await settled();
    await send('l', 'b');
    expect(gates.names).toEqual(['b']);
    await clock.advance(100);
    expect(handler.messages('k')).toEqual(['a']);
    gates.open('b');
    await settled();
    expect(gates.names).toEqual(['a']);
  });

  test('a key whose init is in backoff', async () => {
    const handler = new RecordingHandler({
      init: (key) => (key === 'bad' ? Promise.reject(new Error('broken')) : undefined),
    });
    const { send } = await startEngine(handler, { concurrency: 1 });
    await send('bad', 'a');
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['b']);
  });

  test('a message that waits for the confirm of its dead letter', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'bad' ? Promise.reject(new Error('broken')) : undefined),
    });
    const { publish, transport } = await startEngine(handler, { concurrency: 1, failurePolicy: { attempts: 1 } });
    const sent = [publish('k', 'bad'), publish('l', 'b')];
    transport.broker.block();
    await Promise.all(sent);
    await settled();
    expect(handler.messages('l')).toEqual(['b']);
    expect(transport.broker.length).toBe(1);
  });

  test('a signal, and a signal waits for none', async () => {
    const { send, service, gates } = await startGated(1);
    await send('k', 'a');
    const answers = [service.handleSignal('l', 's1'), service.handleSignal('m', 's2')];
    await settled();
    expect(gates.names).toEqual(['a', 's1', 's2']);
    gates.open('a');
    await settled();
    await send('n', 'b');
    expect(gates.names).toEqual(['s1', 's2', 'b']);
    gates.open('s1');
    gates.open('s2');
    await Promise.all(answers);
  });

  test('a signal of a key whose message waits for a slot runs meanwhile', async () => {
    const { send, service, gates, handler } = await startGated(1);
    await send('k', 'a');
    await send('l', 'b');
    const answer = service.handleSignal('l', 's');
    await settled();
    expect(gates.names).toEqual(['a', 's']);
    gates.open('s');
    await answer;
    expect(handler.of('l')).toEqual(['init', 'signal s']);
  });

  test('a key whose turn comes while its signal runs lets the others go first', async () => {
    const { send, service, gates } = await startGated(1);
    await send('k', 'a');
    await send('l', 'b');
    await send('m', 'c');
    const answer = watch(service.handleSignal('l', 's'));
    await settled();
    gates.open('a');
    await settled();
    expect(gates.names).toEqual(['s', 'c']);
    gates.open('s');
    await settled();
    expect(answer.state).toBe('resolved');
    gates.open('c');
    await settled();
    expect(gates.names).toEqual(['b']);
  });

  test('but signals without a pause do not starve the message of their key', async () => {
    const { send, service, gates } = await startGated(1);
    await send('other', 'o1', 'o2', 'o3');
    await send('k', 'a');
    const answers = ['s1', 's2', 's3'].map((signal) => service.handleSignal('k', signal));
    for (const name of ['o1', 's1', 'o2', 's2']) {
      await settled();
      gates.open(name);
    }
    await settled();
    expect(gates.names).toEqual(['a']);
    gates.open('a');
    await settled();
    gates.open('s3');
    await Promise.all(answers);
  });
});

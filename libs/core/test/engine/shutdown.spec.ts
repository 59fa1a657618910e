import { discard, memory, PublishError, SessionEndedError, ShuttingDownError } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, text, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

/** An engine of one shard, whose messages outlive it, and whose attempts end when the test opens their gate. */
async function startGated(options: { drainTimeout?: number } = {}) {
  const gates = new Gates();
  const signals: AbortSignal[] = [];
  const handler = new RecordingHandler({
    handleMessage(payload, _, context) {
      signals.push(context.abortSignal);
      return gates.at(payload);
    },
  });
  const engine = await startEngine(handler, { ...options, memory: { broker: memory({ totalCount: 1 }).broker } });
  return { gates, handler, signals, broker: engine.transport.broker, ...engine };
}

/** What the next owner of the shard handles. */
async function successorOf(broker: ReturnType<typeof memory>['broker']): Promise<RecordingHandler> {
  const handler = new RecordingHandler();
  await startEngine(handler, { memory: { broker } });
  await settled();
  return handler;
}

describe('stop', () => {
  test('takes nothing new: no message, no signal, no shard', async () => {
    const { engine, service, producer, gates, send, broker } = await startGated();
    await send('k', 'a');
    const stopped = engine.stop();
    await expect(service.handleMessage('k', { payload: 'b' })).rejects.toBeInstanceOf(ShuttingDownError);
    await expect(service.handleSignal('k', 's')).rejects.toBeInstanceOf(ShuttingDownError);
    await expect(service.getDataUpdater('k')).rejects.toBeInstanceOf(ShuttingDownError);
    broker.loseShard(0);
    await settled();
    expect(service.status().shards).toBe(0);
    gates.open('a');
    await stopped;
    await expect(producer.publish('c', { shardingKey: 'k' })).rejects.toBeInstanceOf(PublishError);
  });

  test('lets running handlers finish, and settles what they return', async () => {
    const { engine, send, gates, broker, handler } = await startGated();
    await send('k', 'a');
    await send('l', 'b');
    const stopped = watch(engine.stop());
    gates.open('b');
    await settled();
    expect(stopped.state).toBe('pending');
    expect(broker.length).toBe(1);
    gates.open('a');
    await settled();
    expect(stopped.state).toBe('resolved');
    expect(broker.length).toBe(0);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shutdown']);
  });

  test('lets a running handler publish', async () => {
    const { engine, send, gates, publish } = await startGated();
    await send('k', 'a');
    const stopped = engine.stop();
    await publish('k', 'b');
    gates.open('a');
    await stopped;
  });

  test('starts nothing more: what has not started returns to its place, in order', async () => {
    const { engine, send, gates, broker, handler } = await startGated();
    await send('k', '1', '2', '3');
    const stopped = engine.stop();
    await send('k', '4');
    await send('l', '5');
    gates.open('1');
    await stopped;
    expect(handler.calls.filter((call) => call.includes('message'))).toEqual(['k message 1']);
    const next = await successorOf(broker);
    expect(next.messages('k')).toEqual(['2', '3', '4']);
    expect(next.messages('l')).toEqual(['5']);
  });

  test('counts a key in backoff as not started: its message returns, and nothing waits for it', async () => {
    const { engine, send, gates, broker, clock, handler } = await startGated();
    await send('k', 'a', 'b');
    gates.fail('a', new Error('broken'));
    await settled();
    await engine.stop();
    expect(clock.pending).toBe(0);
    expect(handler.messages('k')).toEqual(['a']);
    expect(broker.length).toBe(2);
    expect((await successorOf(broker)).messages('k')).toEqual(['a', 'b']);
  });

  test('retries nothing: an attempt that fails meanwhile leaves its message to the next owner', async () => {
    const { engine, send, gates, broker, handler } = await startGated();
    await send('k', 'a', 'b');
    const stopped = engine.stop();
    gates.fail('a', new Error('broken'));
    await stopped;
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate broken']);
    expect(broker.deadLetters).toEqual([]);
    expect((await successorOf(broker)).messages('k')).toEqual(['a', 'b']);
  });

  test('terminates all data updaters and waits for them', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ terminate: (_, __, { key }) => gates.at(text(key)) });
    const { engine, send, transport } = await startEngine(handler);
    for (const key of ['k', 'l', 'm']) await send(key, 'a');
    const stopped = watch(engine.stop());
    await settled();
    expect(gates.names.toSorted()).toEqual(['k', 'l', 'm']);
    for (const key of ['k', 'l', 'm']) {
      expect(stopped.state).toBe('pending');
      gates.open(key);
      await settled();
    }
    expect(stopped.state).toBe('resolved');
    expect(handler.calls.filter((call) => call.endsWith('terminate shutdown'))).toHaveLength(3);
    expect(transport.broker.length).toBe(0);
  });

  test('waits for a dead letter that is not confirmed yet', async () => {
    const handler = new RecordingHandler({ handleMessage: () => discard('no') });
    const { engine, publish, transport } = await startEngine(handler);
    const sent = publish('k', 'a');
    transport.broker.block();
    await sent;
    await settled();
    const stopped = watch(engine.stop());
    await settled();
    expect(stopped.state).toBe('pending');
    transport.broker.unblock();
    await settled();
    expect(stopped.state).toBe('resolved');
    expect(transport.broker.deadLetters).toHaveLength(1);
    expect(transport.broker.length).toBe(0);
  });

  test('does not wait for an operator’s drop that the broker holds up: the message stays where it was', async () => {
    const { engine, send, service, transport } = await startEngine(new RecordingHandler());
    await service.park('k');
    await send('k', 'a');
    transport.broker.block();
    const dropped = watch(service.drop('k'));
    await settled();
    const stopped = watch(engine.stop());
    await settled();
    expect(stopped.state).toBe('resolved');
    transport.broker.unblock();
    await settled();
    expect(dropped.value).toBeInstanceOf(SessionEndedError);
    expect(transport.broker.deadLetters).toEqual([]);
  });

  test('rejects the signals and direct messages that wait', async () => {
    const { engine, send, service, gates } = await startGated();
    await send('k', 'a');
    const direct = watch(service.handleMessage('k', { payload: 'b' }));
    const signal = watch(service.handleSignal('k', 's'));
    const stopped = engine.stop();
    await settled();
    expect(direct.value).toBeInstanceOf(ShuttingDownError);
    expect(signal.value).toBeInstanceOf(ShuttingDownError);
    gates.open('a');
    await stopped;
  });

  test('gives each shard back as soon as it is drained, and then disconnects', async () => {
    const transport = new ScriptedTransport();
    const gates = new Gates();
    const { engine } = await startEngine(new RecordingHandler({ handleMessage: () => gates.at('a') }), { transport });
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    const stopped = engine.stop();
    await settled();
    expect([epoch.closed, transport.closed]).toEqual([false, false]);
    gates.open('a');
    await stopped;
    expect([epoch.closed, transport.closed]).toEqual([true, true]);
    expect(epoch.settled).toEqual(['a']);
  });

  test('waits for what still runs of a shard that was lost', async () => {
    const transport = new ScriptedTransport();
    const gates = new Gates();
    const { engine } = await startEngine(new RecordingHandler({ handleMessage: () => gates.at('a') }), { transport });
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.lose();
    const stopped = watch(engine.stop());
    await settled();
    expect(stopped.state).toBe('pending');
    gates.open('a');
    await settled();
    expect(stopped.state).toBe('resolved');
    expect(epoch.settled).toEqual([]);
  });

  test('completes the events, sets no timer any more, and may be called twice', async () => {
    const { engine, send, gates, clock } = await startGated();
    await send('k', 'a');
    let completed = false;
    engine.events.subscribe({ complete: () => (completed = true) });
    gates.open('a');
    await settled();
    await engine.stop();
    await engine.stop();
    expect(completed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

test('whoever drains or closes once more waits for the same end', async () => {
  const { send, engine, gates } = await startGated();
  await send('k', 'a');
  const drained = [watch(engine.drain()), watch(engine.drain()), watch(engine.stop())];
  await settled();
  expect(drained.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
  gates.open('a');
  await settled();
  expect(drained.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved']);
  await engine.close();
});

test('whoever closes once more waits until the transport is closed', async () => {
  let closed = (): void => undefined;
  class SlowTransport extends ScriptedTransport {
    override close(): Promise<void> {
      return new Promise((resolve) => {
        closed = resolve;
      });
    }
  }
  const { engine } = await startEngine(new RecordingHandler(), { transport: new SlowTransport() });
  await engine.drain();
  const closing = [watch(engine.close()), watch(engine.close())];
  await settled();
  expect(closing.map(({ state }) => state)).toEqual(['pending', 'pending']);
  closed();
  await settled();
  expect(closing.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
});

describe('drainTimeout', () => {
  test('is 30 s by default: then the AbortSignal of what runs fires', async () => {
    const { engine, send, gates, signals, clock, broker } = await startGated();
    await send('k', 'a');
    const stopped = watch(engine.stop());
    await clock.advance(29_999);
    expect(signals[0]!.aborted).toBe(false);
    await clock.advance(1);
    expect(signals[0]!.aborted).toBe(true);
    expect(stopped.state).toBe('pending');
    gates.open('a');
    await settled();
    expect(stopped.state).toBe('resolved');
    expect(broker.length).toBe(0);
  });

  test('abandons what has not ended a second later; its message goes to the next owner', async () => {
    const { engine, send, gates, clock, broker, handler } = await startGated({ drainTimeout: 100 });
    await send('k', 'a', 'b');
    const stopped = watch(engine.stop());
    await clock.advance(1_099);
    expect(stopped.state).toBe('pending');
    await clock.advance(1);
    expect(stopped.state).toBe('resolved');
    gates.open('a');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a']);
    expect(broker.length).toBe(2);
    expect((await successorOf(broker)).messages('k')).toEqual(['a', 'b']);
  });

  test('does not wait for a broker that takes no dead letters', async () => {
    const { engine, publish, transport, clock } = await startEngine(
      new RecordingHandler({ handleMessage: () => discard('no') }),
      { drainTimeout: 100 },
    );
    const sent = publish('k', 'a');
    transport.broker.block();
    await sent;
    await settled();
    const stopped = watch(engine.stop());
    await clock.advance(1_100);
    expect(stopped.state).toBe('resolved');
    expect(transport.broker.length).toBe(1);
  });

  test('holds for terminate too, even where it starts only after the abort', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: (payload) => gates.at(payload),
      terminate: () => new Promise<never>(() => undefined),
    });
    const { engine, send, clock } = await startEngine(handler, { drainTimeout: 100 });
    await send('k', 'a');
    const stopped = watch(engine.stop());
    await clock.advance(100);
    gates.open('a');
    await clock.advance(3_000);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shutdown']);
    expect(stopped.state).toBe('resolved');
  });
});

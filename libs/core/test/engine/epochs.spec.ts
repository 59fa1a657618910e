import { ack, memory, stop } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

/** An engine on a transport that the test plays, whose attempts end when the test opens their gate. */
async function startScripted() {
  const gates = new Gates();
  const signals: AbortSignal[] = [];
  const handler = new RecordingHandler({
    handleMessage(payload, _, context) {
      signals.push(context.abortSignal);
      return gates.at(payload).then(() => (payload === 'bye' ? stop('done') : ack(undefined, { continue: payload })));
    },
  });
  return { gates, handler, signals, ...(await startEngine(handler, { transport: new ScriptedTransport() })) };
}

describe('a lost shard', () => {
  test('terminates its idle data updaters with shardLost at once', async () => {
    const handler = new RecordingHandler();
    const { send, transport, of } = await startEngine(handler, { memory: { totalCount: 1 } });
    await send('k', 'a');
    transport.broker.loseShard(0);
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shardLost']);
    expect(of('shardLost')).toMatchObject([{ shard: 0, epoch: 1 }]);
  });

  test('terminates a busy one once its running callback has ended', async () => {
    const { transport, gates, handler } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.deliver('k', 'b');
    epoch.lose();
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a']);
    gates.open('a');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shardLost']);
  });

  test('fires the AbortSignal of what runs', async () => {
    const { transport, signals } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    expect(signals[0]!.aborted).toBe(false);
    epoch.lose();
    expect(signals[0]!.aborted).toBe(true);
    expect(String(signals[0]!.reason)).toContain('the connection broke');
  });

  test('fires an AbortSignal that is asked for only afterwards', async () => {
    const gates = new Gates();
    let aborted = false;
    const transport = new ScriptedTransport();
    await startEngine(
      {
        handleMessage: async (_, __, context) => {
          await gates.at('a');
          aborted = context.abortSignal.aborted;
        },
      },
      { transport },
    );
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.lose();
    gates.open('a');
    await settled();
    expect(aborted).toBe(true);
  });

  test('settles nothing of what its attempts return: no ack, no continuation, no stop', async () => {
    const { transport, gates, handler } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.deliver('l', 'bye');
    epoch.lose();
    gates.open('a');
    gates.open('bye');
    await settled();
    expect(epoch.settled).toEqual([]);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shardLost']);
    expect(handler.of('l')).toEqual(['init', 'message bye', 'terminate shardLost']);
  });

  test('dead-letters and retries nothing of it', async () => {
    const { transport, gates, handler, clock } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.lose();
    gates.fail('a', new Error('broken'));
    await clock.advance(60_000);
    expect(epoch.deadLettered).toEqual([]);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate broken']);
  });

  test('ends backoffs: no further attempt is made', async () => {
    const { transport, gates, handler, clock, service } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    gates.fail('a', new Error('broken'));
    await settled();
    epoch.lose();
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a']);
    expect(service.status()).toMatchObject({ backoffs: 0, liveKeys: 0, shards: 0 });
    expect([...service.liveKeys()]).toEqual([]);
  });

  test('drops the state: init runs again in the next epoch, with its number in the context', async () => {
    const epochs: number[] = [];
    const handler = new RecordingHandler({ handleMessage: (_, __, { epoch }) => void epochs.push(epoch) });
    const { send, transport } = await startEngine(handler, { memory: { totalCount: 1 } });
    await send('k', 'a');
    transport.broker.loseShard(0);
    await send('k', 'b');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shardLost', 'init', 'message b']);
    expect(epochs).toEqual([1, 2]);
  });

  test('leaves the data updaters of other shards alone', async () => {
    const handler = new RecordingHandler();
    const { send, transport, shard } = await startEngine(handler);
    expect(shard('k')).not.toBe(shard('l'));
    await send('k', 'a');
    await send('l', 'b');
    transport.broker.loseShard(shard('k'));
    await settled();
    expect(handler.of('l')).toEqual(['init', 'message b']);
  });

  test('delivers to an attempt of the key in the next epoch only when terminate of the last has finished', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ terminate: () => gates.at('terminate') });
    const { send, transport } = await startEngine(handler, { memory: { totalCount: 1 } });
    await send('k', 'a');
    transport.broker.loseShard(0);
    await send('k', 'b');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate shardLost']);
    gates.open('terminate');
    await settled();
    expect(handler.of('k').slice(3)).toEqual(['init', 'message b']);
  });
});

describe('a hand-over', () => {
  test('in good order: starts nothing more, lets what runs settle, terminates with shardReleased', async () => {
    const { transport, gates, handler, of } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.deliver('k', 'b');
    epoch.deliver('l', 'c');
    gates.open('c');
    await settled();
    const released = watch(epoch.receiver.release());
    epoch.deliver('m', 'd');
    await settled();
    expect(released.state).toBe('pending');
    expect(handler.of('l')).toEqual(['init', 'message c', 'continue c', 'terminate shardReleased']);
    gates.open('a');
    await settled();
    expect(released.state).toBe('resolved');
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue a', 'terminate shardReleased']);
    expect(handler.of('m')).toEqual([]);
    expect(epoch.settled).toEqual(['c', 'a']);
    expect(of('shardReleased')).toMatchObject([{ shard: 0, epoch: 1 }]);
  });

  test('between two engines that share a broker: in order, nothing twice, nothing lost', async () => {
    const { broker } = memory({ totalCount: 1 });
    const gates = new Gates();
    const first = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const second = new RecordingHandler();
    const one = await startEngine(first, { memory: { broker } });
    const two = await startEngine(second, { memory: { broker } });
    await one.send('k', 'a', 'b', 'c');
    await one.send('l', 'd');
    const stopped = one.engine.stop();
    gates.open('d');
    await settled();
    expect(second.calls).toEqual([]);
    gates.open('a');
    await stopped;
    await two.send('l', 'e');
    expect(first.messages('k')).toEqual(['a']);
    expect(second.messages('k')).toEqual(['b', 'c']);
    expect(second.messages('l')).toEqual(['e']);
    expect(broker.length).toBe(0);
    expect(two.of('shardOwned')).toMatchObject([{ shard: 0, epoch: 1 }]);
  });

  test('without warning between two engines: the outcome of the old owner settles nothing', async () => {
    const { broker } = memory({ totalCount: 1 });
    const gates = new Gates();
    const redelivered: boolean[] = [];
    const one = await startEngine(new RecordingHandler({ handleMessage: () => gates.at('old') }), {
      memory: { broker },
    });
    const two = await startEngine(
      {
        handleMessage(_, __, context) {
          redelivered.push(context.redelivered);
          return gates.at('new');
        },
      },
      { memory: { broker } },
    );
    await one.send('k', 'a');
    one.engine.connection().stopClaiming();
    broker.loseShard(0);
    await settled();
    gates.open('old');
    await settled();
    expect(broker.length).toBe(1);
    gates.open('new');
    await settled();
    expect(broker.length).toBe(0);
    expect(redelivered).toEqual([true]);
    await two.engine.stop();
  });
});

describe('the fence', () => {
  test('while the ownership is uncertain no attempt starts, until the broker has confirmed it', async () => {
    const { transport, gates, handler } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.certain = false;
    epoch.deliver('k', 'b');
    epoch.deliver('l', 'c');
    gates.open('a');
    await settled();
    expect(epoch.settled).toEqual(['a']);
    expect(handler.calls.filter((call) => call.includes('message'))).toEqual(['k message a']);
    await epoch.confirm();
    expect(gates.names).toEqual(['b', 'c']);
    expect(epoch.verifications).toBe(1);
  });

  test('before each attempt the ownership is asked for; when it is uncertain nothing starts until it was confirmed', async () => {
    const { transport, gates } = await startScripted();
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.certain = false;
    epoch.deliver('l', 'b');
    epoch.certain = true;
    epoch.deliver('m', 'c');
    await settled();
    expect(gates.names).toEqual(['a']);
    await epoch.confirm();
    expect(gates.names).toEqual(['a', 'b', 'c']);
    expect(epoch.verifications).toBe(1);
  });

  test('a broker that does not confirm ends the epoch: the core gives it up with the cause', async () => {
    const { transport, gates, events } = await startScripted();
    const epoch = transport.own();
    epoch.certain = false;
    epoch.deliver('k', 'a');
    await epoch.leaveUnanswered();
    expect(gates.names).toEqual([]);
    expect(epoch.givenUpBy).toEqual(new Error('no answer'));
    expect(events.map(({ type }) => type)).toEqual(['shardOwned', 'shardLost']);
  });

  test('an attempt whose init took until the ownership was uncertain does not start', async () => {
    const gates = new Gates();
    const attempts: number[] = [];
    const transport = new ScriptedTransport();
    const handler = new RecordingHandler({
      init: () => gates.at('init'),
      handleMessage: (_, __, { attempt }) => void attempts.push(attempt),
    });
    await startEngine(handler, { transport });
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    epoch.certain = false;
    gates.open('init');
    await settled();
    expect(handler.of('k')).toEqual(['init']);
    await epoch.confirm();
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a']);
    expect(attempts).toEqual([1]);
  });
});

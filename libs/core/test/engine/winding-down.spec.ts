import { ack, memory, PublishError, type MemoryTransport } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const LOST = /are lost with the app/;

/** An engine whose messages are lost with it. What is called `bad` fails for ever, what is called `slow` waits for its gate. */
async function start(options: Parameters<typeof startEngine<MemoryTransport>>[1] = {}) {
  const gates = new Gates();
  const handler = new RecordingHandler({
    handleMessage(payload) {
      if (payload === 'bad') throw new Error('broken');
      return payload.startsWith('slow') ? gates.at(payload) : undefined;
    },
  });
  const engine = await startEngine(handler, { failurePolicy: { attempts: Infinity }, ...options });
  return { ...engine, gates, handler, broker: engine.transport.broker };
}

describe('an engine whose messages are lost with it', () => {
  test('handles all that is queued before it stops', async () => {
    const { engine, publish, gates, handler, broker, logs } = await start({ concurrency: 1, memory: { prefetch: 2 } });
    for (let number = 0; number < 20; number++) await publish(`k${number % 3}`, `slow ${number}`);
    const stopped = engine.stop();
    for (let number = 0; number < 20; number++) {
      await settled();
      gates.open(gates.names[0]!);
    }
    await stopped;
    expect(handler.calls.filter((call) => call.includes('message'))).toHaveLength(20);
    expect(broker.length).toBe(0);
    expect(logs).toEqual([]);
  });

  test('tries a message again that fails meanwhile', async () => {
    const { engine, clock, send, gates, handler } = await start();
    await send('k', 'slow', 'next');
    const stopped = engine.stop();
    gates.fail('slow', new Error('broken'));
    await clock.advance(100);
    gates.open('slow');
    await stopped;
    expect(handler.messages('k')).toEqual(['slow', 'slow', 'next']);
  });

  test('takes and handles what is published meanwhile, and refuses it from then on', async () => {
    const { engine, send, publish, gates, handler, broker } = await start();
    await send('k', 'slow');
    const stopped = engine.stop();
    await publish('l', 'follow-up');
    gates.open('slow');
    await stopped;
    expect(handler.messages('l')).toEqual(['follow-up']);
    await expect(publish('l', 'late')).rejects.toMatchObject({ reason: 'closed' });
    expect(broker.length).toBe(0);
  });

  test('waits for a continuation, which may publish', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'first' ? ack(undefined, { continue: 'go' }) : undefined),
      handleContinue: () => gates.at('continue'),
    });
    const { engine, clock, send, publish } = await startEngine(handler);
    await send('k', 'first');
    const stopped = engine.stop();
    await settled();
    await publish('l', 'follow-up');
    gates.open('continue');
    await clock.advance(20);
    await stopped;
    expect(handler.messages('l')).toEqual(['follow-up']);
  });

  test('gives up after drainTimeout, and says how many are lost', async () => {
    const { engine, clock, send, logs, broker, service } = await start({ drainTimeout: 5_000 });
    await send('failing', 'bad', 'behind', 'behind');
    await send('parked', 'fine');
    await service.park('parked');
    await send('parked', 'a', 'b');
    expect(broker.length).toBe(3);
    const stopped = watch(engine.stop());
    await clock.advance(4_999);
    expect(stopped.state).toBe('pending');
    await clock.advance(1);
    expect(stopped.state).toBe('resolved');
    expect(logs.filter((line) => LOST.test(line))).toEqual([
      '5 messages are lost with the app, since its transport keeps them in this process only: 3 queued, which were not handled within drainTimeout, 5000 ms, and 2 parked.',
    ]);
  });

  test('does not wait for what only an operator can set going', async () => {
    const { engine, send, service, logs } = await start();
    await service.park('k');
    await send('k', 'a');
    await engine.stop();
    expect(logs.filter((line) => LOST.test(line))).toHaveLength(1);
  });

  test('waits for what was parked under pressure, which resumes by itself', async () => {
    let broken = true;
    const handler = new RecordingHandler({
      handleMessage() {
        if (broken) throw new Error('broken');
      },
    });
    const options = { failurePolicy: { attempts: Infinity }, memory: { prefetch: 4, totalCount: 1 } };
    const { engine, clock, send, of, logs, transport } = await startEngine(handler, options);
    await send('k', '1', '2', '3');
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
    const stopped = watch(engine.stop());
    await settled();
    expect(stopped.state).toBe('pending');
    broken = false;
    await clock.advance(10_000);
    expect(stopped.state).toBe('resolved');
    expect(transport.broker.parkedCount(0)).toBe(0);
    expect(logs.filter((line) => LOST.test(line))).toEqual([]);
  });

  test.each([
    ['an init that fails', { init: () => Promise.reject(new Error('no database')) }],
    ['a handler that hangs', { handleMessage: () => new Promise<void>(() => undefined) }],
  ])('ends in spite of %s, within one drainTimeout', async (_what, script) => {
    const { engine, clock, send, logs } = await startEngine(new RecordingHandler(script), { drainTimeout: 1_000 });
    await send('k', 'a', 'b');
    const stopped = watch(engine.stop());
    await clock.advance(1_000 + 1_000); // A second of grace.
    expect(stopped.state).toBe('resolved');
    expect(logs.filter((line) => LOST.test(line))).toHaveLength(1);
  });

  test('ends in spite of a broker that takes nothing: who waits to publish is told that it is closed', async () => {
    const { engine, clock, send, publish, broker } = await start({ drainTimeout: 1_000 });
    await send('k', 'bad');
    broker.block();
    const waiting = publish('k', 'waits', { timeout: Infinity }).catch((error: unknown) => error);
    const stopped = watch(engine.stop());
    await clock.advance(1_000);
    expect(stopped.state).toBe('resolved');
    expect(await waiting).toBeInstanceOf(PublishError);
  });
});

describe('a broker that others may have too', () => {
  test('keeps what is queued, and the last one who consumes says so', async () => {
    const { broker } = memory();
    const [one, two] = [await start({ memory: { broker } }), await start({ memory: { broker } })];
    await one.send('k', 'bad', 'behind');
    await one.engine.stop();
    expect(one.logs.filter((line) => /shared embedded broker/.test(line))).toEqual([]);
    await two.engine.stop();
    expect(broker.length).toBe(2);
    expect(two.logs.filter((line) => /shared embedded broker/.test(line))).toEqual([
      'Nobody consumes from the shared embedded broker any more, and it holds 2 queued and 0 parked messages: they are lost unless another app of this process takes over.',
    ]);
  });
});

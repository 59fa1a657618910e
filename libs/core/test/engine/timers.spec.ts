import { discard } from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { settled } from '../support/fake-clock.js';
import { Gates, watch } from '../support/recording-handler.js';
import { limitDeadLetters } from '../support/limit-dead-letters.js';
import { startEngine, type TestEngine } from '../support/test-engine.js';

/** An engine of one shard whose handler refuses `no`, fails at `bad` and waits at a gate for `wait`. */
async function start(): Promise<TestEngine & { gates: Gates }> {
  const gates = new Gates();
  const engine = await startEngine(
    {
      handleMessage(payload) {
        if (payload === 'bad') throw new Error('broken');
        if (payload === 'wait') return gates.at('wait');
        return payload === 'no' ? discard('no') : undefined;
      },
      handleSignal: () => gates.at('signal'),
    },
    {
      memory: { totalCount: 1 },
      drainTimeout: 1_000,
      failurePolicy: { backoff: () => 3_600_000 },
      pressureAge: Infinity,
    },
  );
  limitDeadLetters(engine.transport.broker, 1);
  return { gates, ...engine };
}

/** Stops the engine, however long that takes, and then counts the timers. */
async function timersAfterStop({ engine, clock }: TestEngine, milliseconds = 2_000): Promise<number> {
  const stopped = watch(engine.stop());
  await settled();
  // Not a moment longer than it needs: timers that would end soon keep the process too.
  for (let passed = 0; stopped.state === 'pending' && passed < milliseconds; passed += 500) await clock.advance(500);
  expect(stopped.state).toBe('resolved');
  return clock.pending;
}

describe('once an instance is closed, no timer of it keeps the process:', () => {
  test('a dead letter that was refused and was to be tried again', async () => {
    const app = await start();
    await app.send('l', 'no');
    await app.send('k', 'no');
    expect(await timersAfterStop(app)).toBe(0);
  });

  test('the same of a message without a key', async () => {
    const app = await start();
    await app.send('l', 'no');
    app.transport.broker.inject(0, { key: undefined, body: Buffer.from('1') });
    await settled();
    expect(await timersAfterStop(app)).toBe(0);
  });

  test('a key that waits for its next attempt', async () => {
    const app = await start();
    await app.send('k', 'bad');
    expect(await timersAfterStop(app)).toBe(0);
  });

  test('a callback that ended in its grace', async () => {
    const app = await start();
    await app.send('k', 'wait');
    const stopped = watch(app.engine.stop());
    await app.clock.advance(1_000);
    app.gates.open('wait');
    await settled();
    expect(stopped.state).toBe('resolved');
    expect(app.clock.pending).toBe(0);
  });

  test('a callback that was abandoned, and a signal that waits', async () => {
    const app = await start();
    await app.send('k', 'wait');
    const signal = watch(app.service.handleSignal('k', 1, { timeout: 60_000 }));
    expect(await timersAfterStop(app)).toBe(0);
    expect(signal.state).toBe('rejected');
  });
});

test('a shard that is lost takes the tries of its dead letters along', async () => {
  const app = await start();
  await app.send('l', 'no');
  app.transport.broker.inject(0, { key: undefined, body: Buffer.from('1') });
  app.transport.broker.inject(0, { key: encodeShardingKey('k'), body: Buffer.from('"no"'), messageId: 'm' });
  await settled();
  const { pending } = app.clock;
  app.transport.broker.loseShard(0);
  await settled();
  expect(app.clock.pending).toBe(pending); // The next epoch waits for the same two, and nobody else does.
});

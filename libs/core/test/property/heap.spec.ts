import { Engine } from '../../src/engine/engine.js';
import { ack, DataUpdaterService, discard, EventsProducer, memory, stop } from '../../src/index.js';
import { resolveOptions } from '../../src/mississippi.options.js';
import { FakeClock, settled } from '../support/fake-clock.js';

const KEYS = 1_000_000;
/** Keys that live at once. */
const BATCH = 2_000;
/** Keys that come and go before the first look at the heap. */
const WARM_UP = 50_000;
const IDLE_TIMEOUT = 1_000;
/** What a key that is gone may leave behind, on average. Bytes. Far below any object: the smallest one takes 16. */
const BYTES_PER_KEY = 10;

const ignore = (): void => undefined;

test('a million keys that came and went leave nothing behind', async () => {
  const clock = new FakeClock();
  const transport = memory({ deadLetterLimit: Infinity });
  const ended = { keys: 0 };
  const engine = new Engine({
    options: resolveOptions('default', { idleTimeout: IDLE_TIMEOUT, signalTimeout: Infinity }),
    handler: {
      init: (key) => ({ key }),
      handleMessage(payload, state) {
        switch (Number(payload) % 16) {
          case 0:
            return discard('one in sixteen');
          case 1:
            return stop('one in sixteen');
          case 2:
            return Promise.resolve(ack(state, { continue: 'one in sixteen' }));
          default:
            return ack({ payload });
        }
      },
      handleContinue: ignore,
      handleSignal: () => 'answer',
      terminate: () => void ended.keys++,
    },
    handlerName: 'HeapHandler',
    logger: { log: ignore, warn: ignore, error: ignore },
    clock,
  });
  await engine.connect(transport);
  await engine.consume();
  const producer = new EventsProducer({ engine });
  const service = new DataUpdaterService({ engine, events: engine.events });

  /** The keys of one batch come, and go when they have been idle. */
  const comeAndGo = async (first: number): Promise<void> => {
    for (let index = first; index < first + BATCH; index++) {
      const shardingKey = `key ${index}`;
      void producer.publish(index, { shardingKey, messageId: String(index) });
      if (index % 16 === 3) void service.handleSignal(shardingKey, 'signal');
      if (index % 16 === 4) void service.handleMessage(shardingKey, { payload: index });
    }
    while (transport.broker.length > 0) await settled();
    transport.broker.takeDeadLetters();
    await clock.advance(IDLE_TIMEOUT);
  };
  const heap = async (): Promise<number> => {
    await settled();
    globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };

  let keys = 0;
  for (; keys < WARM_UP; keys += BATCH) await comeAndGo(keys);
  const baseline = await heap();
  for (; keys < WARM_UP + KEYS; keys += BATCH) await comeAndGo(keys);
  const grown = (await heap()) - baseline;

  expect([...engine.liveKeys()]).toEqual([]);
  expect(engine.status()).toMatchObject({ liveKeys: 0, runningAttempts: 0, parkedKeys: 0 });
  // A signal may have started a data updater that a message stopped, so that some keys had two.
  expect(ended.keys).toBeGreaterThanOrEqual(keys);
  expect(grown / KEYS).toBeLessThan(BYTES_PER_KEY);
  await engine.stop();
}, 600_000);

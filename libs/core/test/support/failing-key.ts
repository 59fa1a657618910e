import type { MemoryBroker, MississippiOptions } from '../../src/index.js';
import { RecordingHandler } from './recording-handler.js';
import { startEngine } from './test-engine.js';

interface FailingKeyOptions extends Omit<MississippiOptions, 'transport'> {
  /** Whether it is `init` that fails, not the attempts. */
  readonly failingInit?: boolean;
  /** One that outlives the engine. */
  readonly broker?: MemoryBroker;
}

/** An engine of one shard with a window of ten, in which the key `bad` fails until `healed()`. */
export async function startFailingKey({ failingInit = false, broker, ...own }: FailingKeyOptions = {}) {
  let healthy = false;
  const failing = (key: unknown): Promise<never> | undefined =>
    key === 'bad' && !healthy ? Promise.reject(new Error('broken')) : undefined;
  const handler = new RecordingHandler({
    init: (key) => (failingInit ? failing(key) : undefined),
    handleMessage: (_payload, _state, { key }) => (failingInit ? undefined : failing(key)),
  });
  const engine = await startEngine(handler, {
    failurePolicy: { attempts: Infinity },
    ...own,
    memory: { prefetch: 10, ...(broker === undefined ? { totalCount: 1 } : { broker }) },
  });
  return {
    handler,
    broker: engine.transport.broker,
    healed: () => {
      healthy = true;
    },
    ...engine,
  };
}

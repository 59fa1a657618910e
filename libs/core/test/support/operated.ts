import { memory, MississippiOperator, type MississippiOptions } from '../../src/index.js';
import { LinkedTransports } from './linked-transports.js';
import { RecordingHandler } from './recording-handler.js';
import { startEngine } from './test-engine.js';

/** Where the operator is: in the process that owns the shard, or in one that owns nothing. */
export type Where = 'here' | 'elsewhere';

interface OperatedOptions extends Omit<MississippiOptions, 'transport'> {
  readonly handler?: RecordingHandler;
}

/**
 * An engine of one shard with a window of ten whose handler fails at the payloads in `failing`, and an operator.
 * The process of the engine is called `owner`.
 */
export async function startOperated(where: Where, { handler, ...own }: OperatedOptions = {}) {
  const failing = new Set(['bad']);
  const fails = new RecordingHandler({
    handleMessage: (payload) => (failing.has(payload) ? Promise.reject(new Error('broken')) : undefined),
  });
  const links = new LinkedTransports(memory({ totalCount: 1 }).broker);
  const owner = await startEngine(handler ?? fails, { ...own, transport: links.open('owner', 10) });
  const { clock } = owner;
  const other =
    where === 'here'
      ? owner
      : await startEngine(new RecordingHandler(), { producerOnly: true, clock, transport: links.open('other') });
  return {
    ...owner,
    failing,
    broker: links.broker,
    handler: handler ?? fails,
    operator: new MississippiOperator({ engine: other.engine }),
  };
}

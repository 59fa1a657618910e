import { Denied } from '../../enhancers/denied.js';
import { InvalidOutcomeError } from '../../errors/index.js';
import { keyBytes } from '../../keys/sharding-key.js';
import { Ack, Discard, Stop } from '../../outcomes.js';
import { RefusedPayload } from '../../payload/refused-payload.js';
import type { CallbackOperation, ObservedMessage, OperationEnd, Trace } from '../../telemetry/telemetry.interface.js';
import type { Caller } from '../base/caller.js';
import type { EngineKey } from '../base/engine-key.js';
import type { CallbackEnd } from './callback-end.js';

/** A run of a callback, as far as telemetry sees it. */
interface ObservedRun {
  readonly name: CallbackOperation['callback'] | 'decode' | 'terminate';
  readonly key: EngineKey;
  readonly attempt: number;
  readonly message: ObservedMessage | undefined;
  readonly caller: Caller | undefined;
}

/** What else a callback says of itself. */
interface Cause {
  readonly signalName: string | undefined;
  /** The callback that it follows. */
  readonly parent: Trace | undefined;
}

/**
 * A callback as telemetry sees it. `undefined` for what runs on behalf of nobody, the end of ten thousand idle keys say, and for
 * codecs.
 */
export function operationOf(run: ObservedRun, { signalName, parent }: Cause): CallbackOperation | undefined {
  const { name, key, attempt, message, caller } = run;
  if (name === 'decode' || name === 'terminate') return undefined;
  if (message === undefined && caller === undefined && parent === undefined) return undefined;
  const { shard, number: epoch } = key.epoch;
  return {
    kind: 'callback',
    callback: name,
    shard,
    epoch,
    key: keyBytes(key.id),
    attempt,
    message,
    signalName,
    called: caller?.context !== undefined,
    carried: caller?.carried,
    parent,
  };
}

/** How it ended, as telemetry sees it: a refusal by a guard or for the payload is what they say, not what it is wrapped in. */
export function endOf(name: ObservedRun['name'], end: CallbackEnd): OperationEnd {
  if (!end.ok) {
    const { error } = end;
    if (error instanceof Denied || error instanceof RefusedPayload) return { error: error.reason };
    return { error: error ?? new Error(`${name} threw ${String(error)}`) };
  }
  if (name !== 'handleMessage') return {};
  const { value } = end;
  if (value === undefined) return { outcome: 'ack' };
  return value instanceof Ack || value instanceof Discard || value instanceof Stop
    ? { outcome: value.kind }
    : { error: new InvalidOutcomeError(name, value, 'an outcome') };
}

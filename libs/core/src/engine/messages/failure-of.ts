import type { Failure } from '../../interfaces/failure.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
import type { EngineKey } from '../base/engine-key.js';
import { DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** What failed, for the functions of the failure policy. */
export interface FailedCallback {
  readonly error: unknown;
  readonly callback: Failure['callback'];
  readonly attempt: number;
}

export function failureOf({ id, epoch }: EngineKey, message: TrackedMessage, failed: FailedCallback): Failure {
  const { messageId, timestamp, headers, properties, redelivered } = message;
  return {
    ...properties,
    ...failed,
    instance: epoch.environment.options.instance,
    key: decodeShardingKey(keyBytes(id)),
    shard: epoch.shard,
    epoch: epoch.number,
    messageId,
    timestamp,
    headers,
    redelivered,
    direct: message instanceof DirectTrackedMessage,
  };
}

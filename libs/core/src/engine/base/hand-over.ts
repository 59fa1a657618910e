import { ShardNotOwnedError, ShuttingDownError } from '../../errors/index.js';

/** Whether an error means that somebody else owns the shard now, or soon. */
export function isHandOver(error: unknown): boolean {
  return error instanceof ShardNotOwnedError || error instanceof ShuttingDownError;
}

import { StoreUnavailableError } from '../../errors/index.js';
import type { ShardSession } from '../../transport/transport.interface.js';
import { DurableEpoch } from './durable-epoch.js';
import type { DurableInstance } from './durable-instance.js';

/**
 * Begins an epoch of a shard in the store, and makes certain that the shard is still ours.
 * @param over whether the session has ended
 * @param lost called when the epoch cannot go on
 * @throws {StoreUnavailableError} when it was over before the store answered
 */
export async function openEpoch(
  instance: DurableInstance,
  session: ShardSession,
  over: () => boolean,
  lost: (error: Error) => void,
): Promise<DurableEpoch> {
  const { shard } = session;
  const { link } = instance;
  const opening = await link.ask(() => link.connection.openShard(shard), over);
  if (opening === undefined) throw new StoreUnavailableError(`Shard ${shard} left while the store was waited for.`);
  await session.verify?.();
  const { commits, outbox } = instance.openOutbox(shard, opening, lost);
  return new DurableEpoch(instance, commits, outbox);
}

import type { KeyTrouble, OwnedShardReport } from '../../interfaces/operator.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
import type { Environment } from '../base/environment.js';
import { FinishWatch, type BusyId } from '../messages/finish-watch.js';
import type { OwnedShard } from '../shards/owned-shard.js';
import { troubleOf, waitingOf } from './key-trouble.js';

/** A report as it travels: its keys in the external term format, as base64. */
export interface ShardRow extends Omit<OwnedShardReport, 'busiest'> {
  readonly busiest: readonly { readonly key: string; readonly text: string; readonly finished: number }[];
}

/**
 * Counts twice, and what is finished in between, so that nothing is counted while nobody looks.
 * @param over milliseconds
 */
export async function lookAt(shard: OwnedShard, environment: Environment, over: number): Promise<ShardRow> {
  const { clock } = environment;
  const [begun, finished] = [clock.now(), shard.finished];
  const watch = new FinishWatch(clock);
  const unwatch = shard.watch(watch);
  await new Promise<void>((resolve) => clock.after(over, resolve));
  unwatch();
  const seconds = (clock.now() - begun) / 1_000;
  const { epoch, queues, parkedMessages, stalled } = shard;
  return {
    epoch,
    keys: queues.size,
    parked: parkedMessages,
    stalled,
    rate: seconds === 0 ? 0 : (shard.finished - finished) / seconds,
    ...tallyOf(shard),
    times: watch.times,
    busiest: watch.busiest.map((busy) => rowOf(busy, environment)),
  };
}

/** It visits every live key. */
function tallyOf({ queues }: OwnedShard): Pick<OwnedShardReport, 'inFlight' | 'oldest' | 'troubles'> {
  let inFlight = 0;
  let oldest: number | undefined;
  const troubles: Partial<Record<KeyTrouble, number>> = {};
  for (const queue of queues.values()) {
    inFlight += queue.tracker.held;
    const waiting = waitingOf(queue);
    if (waiting !== undefined) oldest = Math.max(oldest ?? 0, waiting);
    const trouble = troubleOf(queue);
    if (trouble !== undefined) troubles[trouble] = (troubles[trouble] ?? 0) + 1;
  }
  return { inFlight, oldest, troubles };
}

function rowOf({ id, finished }: BusyId, environment: Environment): ShardRow['busiest'][number] {
  const bytes = keyBytes(id);
  return { key: Buffer.from(bytes).toString('base64'), text: environment.keyText(bytes), finished };
}

/** Has all members, wherever the row came from: JSON leaves out those that are `undefined`. */
export function shardReportOf({ busiest, oldest, ...row }: ShardRow): OwnedShardReport {
  return {
    ...row,
    oldest,
    busiest: busiest.map(({ key, text, finished }) => ({
      key: decodeShardingKey(Buffer.from(key, 'base64')),
      text,
      finished,
    })),
  };
}

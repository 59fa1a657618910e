import type { MississippiOperator } from '@mississippi/core';

/** Asks until what came twice is gone too: nothing waits in any shard, nor in its side queue. */
export async function untilNothingWaits(operator: MississippiOperator): Promise<void> {
  for (let asked = 0; asked < 300; asked++) {
    const shards = await operator.shards({ over: 20 });
    if (shards.every(({ backlog, owned }) => backlog === 0 && owned?.inFlight === 0 && owned.parked === 0)) return;
  }
  throw new Error('something still waits in a shard');
}

import { Fleet } from './fleet.js';
import type { WorkerPlan } from './protocol.js';
import type { Settings } from './settings.js';
import type { WatchedBroker } from './watched-broker.js';

/** What every scene is given. */
export interface Stage {
  readonly broker: WatchedBroker;
  readonly settings: Settings;
  readonly say: (line: string) => void;
}

/** Lets processes own the queues of a prefix, and ends them, whatever happens. */
export async function withFleet<T>(
  { broker, settings }: Stage,
  prefix: string,
  plan: Partial<Pick<WorkerPlan, 'shards' | 'heartbeat'>>,
  act: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const { shards, quorum, nice } = settings;
  const fleet = new Fleet({ url: broker.url, prefix, shards: shards[0]!, quorum, ...plan }, nice);
  try {
    const result = await act(fleet);
    await fleet.leaveAll();
    return result;
  } finally {
    fleet.close();
  }
}

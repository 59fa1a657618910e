import { clock } from './clock.js';
import type { Fleet } from './fleet.js';
import { Prober } from './prober.js';
import { withFleet, type Stage } from './stage.js';
import type { WorkerProcess } from './worker-process.js';

/** How long each shard of a process that was struck was served by nobody. Milliseconds. */
export type TakeOver = readonly number[];

/** Seconds; the library's default is longer, and so is what is measured then. */
export const STALL_HEARTBEAT = 2;

/** Kills one process after the other, with another in its place each time. */
export function kills(stage: Stage): Promise<TakeOver[]> {
  const { settings, say } = stage;
  return struck(stage, 'kill_', undefined, async (fleet, prober) => {
    const waits: TakeOver[] = [];
    for (let round = 1; round <= settings.kills; round++) {
      say(`SIGKILL: ${round} of ${settings.kills}`);
      const victim = fleet.running[0]!;
      waits.push(await takeOver(fleet, prober, victim, 'SIGKILL'));
      fleet.dismiss(victim);
      await victim.gone();
      fleet.bury(victim);
      await fleet.start(await fleet.load(1));
      await fleet.rest();
    }
    return waits;
  });
}

/** Stops one process after the other, and lets each go on when others have its shards. */
export function stalls(stage: Stage): Promise<TakeOver[]> {
  const { settings, say } = stage;
  return struck(stage, 'stall_', STALL_HEARTBEAT, async (fleet, prober) => {
    const waits: TakeOver[] = [];
    for (let round = 1; round <= settings.stalls; round++) {
      say(`SIGSTOP: ${round} of ${settings.stalls}`);
      const victim = fleet.running[round % fleet.running.length]!;
      waits.push(await takeOver(fleet, prober, victim, 'SIGSTOP'));
      victim.signal('SIGCONT');
      await fleet.rest();
    }
    return waits;
  });
}

function struck(
  stage: Stage,
  prefix: string,
  heartbeat: number | undefined,
  act: (fleet: Fleet, prober: Prober) => Promise<TakeOver[]>,
): Promise<TakeOver[]> {
  return withFleet(stage, prefix, heartbeat === undefined ? {} : { heartbeat }, async (fleet) => {
    await fleet.grow(stage.settings.processes.at(-1)!);
    await fleet.rest();
    const prober = await Prober.open(fleet.plan);
    try {
      const all = Array.from({ length: fleet.plan.shards }, (_, shard) => prober.send(shard));
      await Promise.all(all.map((probe) => fleet.answered(probe, 'nobody')));
      return await act(fleet, prober);
    } finally {
      await prober.close();
    }
  });
}

async function takeOver(
  fleet: Fleet,
  prober: Prober,
  victim: WorkerProcess,
  signal: NodeJS.Signals,
): Promise<number[]> {
  const shards = [...fleet.record.shardsOf(victim.name)];
  const from = clock();
  victim.signal(signal);
  const probes = shards.map((shard) => prober.send(shard));
  const handled = await Promise.all(probes.map((probe) => fleet.answered(probe, victim.name)));
  return handled.map((at) => at - from);
}

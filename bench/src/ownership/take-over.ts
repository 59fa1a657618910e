import type { Fleet } from './fleet.js';
import { withFleet, type Stage } from './stage.js';
import type { WorkerProcess } from './worker-process.js';

/** How long each shard of a process that was struck was served by nobody. Milliseconds. */
export type TakeOver = readonly number[];

/** Seconds; the library's default is longer, and so is what is measured then. */
export const STALL_HEARTBEAT = 2;

/** Kills one process after the other, with another in its place each time. */
export function kills(stage: Stage): Promise<TakeOver[]> {
  const { settings, say } = stage;
  return struck(stage, 'kill_', undefined, async (fleet) => {
    const waits: TakeOver[] = [];
    for (let round = 1; round <= settings.kills; round++) {
      say(`SIGKILL: ${round} of ${settings.kills}`);
      const victim = fleet.running[0]!;
      waits.push(await takeOver(fleet, victim, 'SIGKILL'));
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
  return struck(stage, 'stall_', STALL_HEARTBEAT, async (fleet) => {
    const waits: TakeOver[] = [];
    for (let round = 1; round <= settings.stalls; round++) {
      say(`SIGSTOP: ${round} of ${settings.stalls}`);
      const victim = fleet.running[round % fleet.running.length]!;
      waits.push(await takeOver(fleet, victim, 'SIGSTOP'));
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
  act: (fleet: Fleet) => Promise<TakeOver[]>,
): Promise<TakeOver[]> {
  return withFleet(stage, prefix, heartbeat === undefined ? {} : { heartbeat }, async (fleet) => {
    await fleet.grow(stage.settings.processes.at(-1)!);
    await fleet.rest();
    return act(fleet);
  });
}

/** Lets another process strike the victim, and waits until others have handled a probe in each shard that was its. */
async function takeOver(fleet: Fleet, victim: WorkerProcess, signal: NodeJS.Signals): Promise<number[]> {
  const striker = fleet.running.find((worker) => worker !== victim)!;
  // What it does for the first time takes longer: a probe that strikes nobody comes first.
  const [any] = fleet.record.shardsOf(striker.name);
  const trial = fleet.probes(any === undefined ? [0] : [any]);
  await striker.strike({ pid: striker.pid, signal: 0, probes: trial });
  await Promise.all(trial.map(({ probe }) => fleet.answered(probe)));

  const probes = fleet.probes([...fleet.record.shardsOf(victim.name)]);
  const from = await striker.strike({ pid: victim.pid, signal, probes });
  const handled = await Promise.all(probes.map(({ probe }) => fleet.answered(probe, victim.name)));
  return handled.map((at) => at - from);
}

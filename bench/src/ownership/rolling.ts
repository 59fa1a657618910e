import { clock } from './clock.js';
import { withFleet, type Stage } from './stage.js';

/** What a restart of every process, one after the other, did to the shards. */
export interface RollingFigures {
  /** How often each shard was taken by another process, shard by shard. */
  readonly handOvers: readonly number[];
  /** How long a shard rested each time. Milliseconds. */
  readonly pauses: readonly number[];
  readonly seconds: number;
  /** Shards of each process at the end. */
  readonly shares: readonly number[];
}

/** Ends each process in good order and starts another in its place, which has its share before the next one is ended. */
export function rolling(stage: Stage): Promise<RollingFigures> {
  const { settings, say } = stage;
  return withFleet(stage, 'rolling_', {}, async (fleet) => {
    await fleet.grow(settings.processes.at(-1)!);
    await fleet.rest();
    const from = clock();
    for (const [index, worker] of [...fleet.running].entries()) {
      say(`rolling restart: ${index + 1} of ${settings.processes.at(-1)}`);
      await fleet.leave(worker);
      await fleet.grow(settings.processes.at(-1)!);
      await fleet.level();
    }
    const seconds = (clock() - from) / 1_000;
    await fleet.rest();
    const handOvers = Array.from({ length: fleet.plan.shards }, () => 0);
    for (const { shard } of fleet.record.takingsSince(from)) handOvers[shard]!++;
    return { handOvers, pauses: fleet.record.pausesSince(from), seconds, shares: fleet.shares };
  });
}

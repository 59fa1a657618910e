import type { Settling } from './claims.js';
import { settling } from './claims.js';
import { neededMoves } from './shares.js';
import { withFleet, type Stage } from './stage.js';

export interface StartFigures {
  /**
   * A process that starts alone: nobody else has a shard, so that whatever claim of it is refused was meant to be, to see that
   * the broker does refuse.
   */
  readonly alone: Settling;
  readonly together: readonly Settling[];
  readonly joins: readonly (Settling & { readonly needed: number })[];
}

/** One process starts alone, then all start at once, then one joins them, some times. */
export function starts(stage: Stage): Promise<StartFigures> {
  const { settings, say } = stage;
  const size = settings.processes.at(-1)!;
  return withFleet(stage, 'start_', {}, async (fleet) => {
    say('start: one process alone');
    const alone = await settling(stage, fleet, await fleet.load(1));
    const together: Settling[] = [];
    for (let round = 1; round <= settings.rounds; round++) {
      say(`start: ${size} processes at once, ${round} of ${settings.rounds}`);
      const loaded = await fleet.load(size);
      await fleet.leaveAll();
      together.push(await settling(stage, fleet, loaded));
    }
    const joins: (Settling & { needed: number })[] = [];
    for (let round = 1; round <= settings.rounds; round++) {
      say(`join: one more process, ${round} of ${settings.rounds}`);
      const [joiner] = await fleet.load(1);
      await fleet.rest();
      const needed = neededMoves([...fleet.shares, 0], fleet.plan.shards);
      joins.push({ ...(await settling(stage, fleet, [joiner!])), needed });
      await fleet.leave(joiner!);
      await fleet.rest();
    }
    return { alone, together, joins };
  });
}

import { monotonic } from '@mississippi/history';
import type { Stage } from './stage.js';
import { timesOf } from './texts.js';

const KILLS = 10;

/** How long it takes after a SIGKILL until others own every shard. */
export async function kills(stage: Stage): Promise<string[]> {
  const times: number[] = [];
  for (let round = 0; round < KILLS; round++) {
    const victim = stage.worker(round);
    await stage.rest();
    const since = monotonic();
    await victim.kill();
    const milliseconds = (await stage.served(victim)) - since;
    times.push(milliseconds);
    stage.say(`SIGKILL: all shards served after ${Math.round(milliseconds)} ms`);
    await victim.start();
    await stage.level();
  }
  return [`all shards served after SIGKILL of one   ${timesOf(times)}`];
}

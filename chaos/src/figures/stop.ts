import { monotonic } from '@mississippi/history';
import type { Stage } from './stage.js';
import { timesOf } from './texts.js';

const STOPS = 3;

/** How long it takes after a SIGSTOP until others own every shard: the broker waits for two heartbeats and more. */
export async function stops(stage: Stage): Promise<string[]> {
  const times: number[] = [];
  for (let round = 0; round < STOPS; round++) {
    const victim = stage.worker(round);
    await stage.rest();
    const since = monotonic();
    victim.stop('stop');
    const milliseconds = (await stage.served(victim)) - since;
    times.push(milliseconds);
    stage.say(`SIGSTOP: all shards served after ${Math.round(milliseconds)} ms`);
    victim.continue();
    await stage.level();
  }
  return [`all shards served after SIGSTOP of one   ${timesOf(times)}`];
}

import { monotonic, readHistory, type HistoryEvent } from '@mississippi/history';
import type { Stage } from './stage.js';
import { timesOf } from './texts.js';

const JOINS = 10;

/** How long it takes until a process that joins has its share, and how long each shard that goes to it rests. */
export async function joins(stage: Stage): Promise<string[]> {
  const times: number[] = [];
  const begun = monotonic();
  for (let round = 0; round < JOINS; round++) {
    const place = stage.worker(round);
    await place.leave();
    await stage.served(place);
    await stage.rest();
    await place.start();
    const since = monotonic();
    const milliseconds = Math.max(0, (await stage.level()) - since);
    times.push(milliseconds);
    stage.say(`join: shares level after ${Math.round(milliseconds)} ms`);
  }
  const pauses = pausesOf(readHistory(stage.folder).filter(({ mono }) => mono > begun));
  return [
    `shares level after a join                ${timesOf(times)}`,
    `pause of a shard that is handed over     ${timesOf(pauses)}`,
  ];
}

/** From the moment in which nothing of a shard starts any more until its next owner may start. Milliseconds. */
function pausesOf(events: readonly HistoryEvent[]): number[] {
  const since = new Map<number, number>();
  const pauses: number[] = [];
  for (const event of events) {
    if (event.type === 'releasing') since.set(event.shard, event.mono);
    else if (event.type === 'lost') since.delete(event.shard);
    else if (event.type === 'owned' && since.has(event.shard)) {
      pauses.push(event.mono - since.get(event.shard)!);
      since.delete(event.shard);
    }
  }
  return pauses;
}

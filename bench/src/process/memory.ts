import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTerm } from '@mississippi/terms';
import { shardOfEncoded } from '@mississippi/core/transport';
import { type Measurement, Stopwatch } from '../harness/measurement.js';
import type { Dispatcher } from './dispatcher.js';
import type { Tally } from './feeder.js';
import { keyName, SHARDS } from './keys.js';
import { Bodies } from './message.js';

const WAVE = 1_000;
const WARM_KEYS = 5_000;

/**
 * What an idle key keeps. Nothing is made beforehand: names, bytes and messages are left to the garbage collector, and
 * what of them stays is the contender's.
 */
export async function measureMemory(dispatcher: Dispatcher, tally: Tally, keys: number): Promise<Measurement> {
  const bodies = new Bodies();
  await handleOnce(dispatcher, tally, bodies, 0, WARM_KEYS);
  const before = await settledMemory();
  const watch = new Stopwatch();
  await handleOnce(dispatcher, tally, bodies, WARM_KEYS, keys);
  const measured = watch.stop(keys);
  const after = await settledMemory();
  const figures = { rss: (after.rss - before.rss) / keys, heap: (after.heap - before.heap) / keys };
  return { ...measured, figures };
}

async function handleOnce(
  dispatcher: Dispatcher,
  tally: Tally,
  bodies: Bodies,
  from: number,
  count: number,
): Promise<void> {
  for (let done = 0; done < count; done += WAVE) {
    const size = Math.min(WAVE, count - done);
    const over = tally.expect(size);
    for (let index = from + done; index < from + done + size; index++) {
      const name = keyName(index);
      const bytes = encodeTerm(name);
      dispatcher.dispatch(name, shardOfEncoded(bytes, SHARDS), bodies.message(bytes));
    }
    await over;
    await sleep(0);
  }
}

async function settledMemory(): Promise<{ rss: number; heap: number }> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

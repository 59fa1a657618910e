import { type Measurement, Stopwatch } from '../harness/measurement.js';
import { type ContenderName, openContender } from './contenders.js';
import type { Payload } from './dispatcher.js';
import { Feeder, Tally } from './feeder.js';
import { Keys } from './keys.js';
import { measureMemory } from './memory.js';
import { Bodies } from './message.js';

/** One run in a process of its own. */
export interface ProcessPlan {
  readonly contender: ContenderName;
  readonly payload: Payload;
  /** Whether the caller gets a promise for each message. */
  readonly answers: boolean;
  readonly keys: number;
  /** Messages that are dispatched at once. */
  readonly wave: number;
  readonly messages: number;
  /** Messages before the clock starts. */
  readonly warmUp: number;
  /**
   * `live`: every key has handled a message before the clock starts. `new`: none has; the warm-up is about other keys.
   * `idle`: the memory of keys that handled one message each.
   */
  readonly state: 'live' | 'new' | 'idle';
}

/** Keys that a run warms up with, where its own are to be new. */
const OTHER_KEYS = 1_000;
const WARM_WAVE = 1_000;

export async function measureInProcess(plan: ProcessPlan): Promise<Measurement> {
  const { contender, payload, answers, keys, wave, messages, warmUp, state } = plan;
  const tally = new Tally();
  const setup = { payload, window: Math.max(300, wave), handled: tally.handled };
  const dispatcher = await openContender(contender, setup, answers);
  if (state === 'idle') return measureMemory(dispatcher, tally, keys);

  const bodies = new Bodies();
  const all = new Keys(state === 'new' ? OTHER_KEYS + keys : keys);
  const warmWave = keys === 1 ? Math.min(wave, 100) : WARM_WAVE;
  const feeder = new Feeder(dispatcher, tally, all, bodies);
  // The cursor stands behind the other keys afterwards, or at the first key again.
  const round = state === 'new' ? OTHER_KEYS : all.count;
  if (state === 'new') {
    const others = new Feeder(dispatcher, tally, new Keys(OTHER_KEYS), bodies);
    await others.feed(warmUp, warmWave);
    await feeder.feed(OTHER_KEYS, warmWave);
  } else {
    await feeder.feed(Math.max(1, Math.ceil(warmUp / round)) * round, warmWave);
  }
  globalThis.gc?.();
  const watch = new Stopwatch();
  await feeder.feed(messages, wave);
  const measured = watch.stop(messages, { rssMegabytes: process.memoryUsage().rss / 1e6 });
  await dispatcher.close();
  return measured;
}

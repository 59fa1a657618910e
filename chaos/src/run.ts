import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { checkHistory, type Verdict } from './checker.js';
import { Crew } from './crew.js';
import { monotonic, type ChaosEvent } from './events.js';
import { readHistory } from './history-files.js';
import { LiveView } from './live-view.js';
import { Nemesis } from './nemesis.js';
import { Operator } from './operator.js';
import type { PlacePlan } from './place.js';
import type { Progress } from './progress.js';
import { messagesIn } from './queues.js';
import { Recorder } from './recorder.js';
import { schedule, type Action } from './schedule.js';

export interface RunOptions {
  readonly minutes: number;
  readonly processes: number;
  readonly seed: number;
  readonly quorum: boolean;
  readonly shards: number;
  readonly keys: number;
  readonly publishers: number;
  /** Messages per second of all publishers. */
  readonly rate: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly prefetch: number;
  readonly actions: readonly Action[];
  /** Bounds of the waits between faults. Milliseconds. */
  readonly shortest: number;
  readonly longest: number;
  /** Where the workers are to be mutants. */
  readonly mutant: string | undefined;
  /** How long the run waits at its end while nothing moves. Milliseconds. */
  readonly standstill: number;
}

export interface RunResult {
  readonly folder: string;
  readonly events: readonly ChaosEvent[];
  readonly verdict: Verdict;
  readonly actions: ReadonlyMap<Action, number>;
  readonly missed: number;
  /** From the last heal until nothing was left. Milliseconds; `undefined` where something was. */
  readonly drained: number | undefined;
}

/** How often it looks. Milliseconds. */
const LOOK = 100;

/** How often keys that are set aside are resumed at the end: whoever takes a shard over finds them held again. Milliseconds. */
const RESUME = 1_000;

/** One run: start, break, heal, drain, check. The folder must not exist. */
export async function run(
  node: RabbitMqNode,
  folder: string,
  options: RunOptions,
  progress: Progress,
): Promise<RunResult> {
  mkdirSync(folder, { recursive: true });
  const recorder = new Recorder(folder, 'nemesis');
  const { processes, shards, keys, publishers, rate, heartbeat, prefetch, seed, quorum, mutant } = options;
  const prefix = `chaos${process.pid}_${Math.floor(monotonic())}_`;
  const plan: PlacePlan = {
    folder,
    prefix,
    quorum,
    shards,
    keys,
    publishers,
    rate,
    heartbeat,
    prefetch,
    work: undefined,
    claimInterval: 200,
    seed,
  };
  const crew = await Crew.open(node, plan, processes, recorder, mutant);
  const operator = new Operator(crew.publishers);
  const view = new LiveView(folder);
  try {
    await crew.start();
    const field = { ...crew, operator, node, recorder, folder, keys, heartbeat: heartbeat * 1_000 };
    const nemesis = new Nemesis(field, (line) => progress.say(line));
    const following = nemesis.follow(schedule(options));
    await watch(view, progress, options.minutes * 60_000);
    progress.say('the nemesis stops; everything is healed');
    await nemesis.stop();
    await following;
    const healedAt = performance.now();
    await crew.start();
    crew.finish();
    const inQueues = (): Promise<number> => messagesIn(node.url, prefix, shards);
    const left = await drain(view, crew, operator, progress, options.standstill, inQueues);
    recorder.record({ type: left === 0 ? 'drained' : 'stuck', messages: left });
    const drained = left === 0 ? performance.now() - healedAt : undefined;
    progress.say(left === 0 ? 'everything is drained; the processes leave' : `${left} messages do not move`);
    await crew.leave();
    const events = readHistory(folder);
    return { folder, events, verdict: checkHistory(events), actions: nemesis.done, missed: nemesis.missed, drained };
  } finally {
    view.close();
    await crew.close();
    recorder.close();
  }
}

async function watch(view: LiveView, progress: Progress, length: number): Promise<void> {
  const begun = performance.now();
  for (let elapsed = 0; elapsed < length; elapsed = performance.now() - begun) {
    await sleep(LOOK);
    view.refresh();
    progress.show(elapsed / length, view);
  }
}

/** Waits until all is confirmed, handled and out of the queues; or until nothing has moved for long. Returns what is left. */
async function drain(
  view: LiveView,
  crew: Crew,
  operator: Operator,
  progress: Progress,
  standstill: number,
  inQueues: () => Promise<number>,
): Promise<number> {
  let moved = performance.now();
  let resumed = 0;
  let before = '';
  for (;;) {
    view.refresh();
    progress.show(1, view);
    let queued = -1;
    if (crew.quiet && view.pending.size === 0) {
      queued = await inQueues();
      if (queued === 0) return 0;
    }
    const now = performance.now();
    const state = `${view.confirmed} ${view.done} ${queued}`;
    if (state !== before) moved = now;
    before = state;
    if (now - moved > standstill) {
      // What the queues do not hold any more is not stuck but lost.
      return crew.quiet ? inQueues() : Math.max(1, view.pending.size);
    }
    if (now - resumed > RESUME) {
      resumed = now;
      for (const key of view.aside) operator.signal(key, 'resume');
    }
    await sleep(LOOK);
  }
}

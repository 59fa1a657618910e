import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { FileRecorder } from '@mississippi/history';
import { Seeded } from '#support/seeded.js';
import { LiveView } from '../live-view.js';
import { Place, type PlacePlan } from '../place.js';
import type { Progress } from '../progress.js';
import { heldMark, sickMark } from '../protocol.js';
import type { RunOptions } from '../run.js';
import { audit, expectedOf, type Findings } from './audit.js';
import { enqueuedCounts, readBooks } from './books.js';
import { SCHEMA } from './database.js';
import { POINTS } from './steps.js';

export const EMBEDDED_ACTIONS = ['kill', 'early', 'dieAt', 'leave', 'stall', 'park', 'sicken', 'badRow'] as const;

export type EmbeddedAction = (typeof EMBEDDED_ACTIONS)[number];

const DECK: Readonly<Record<EmbeddedAction, number>> = {
  kill: 3,
  early: 1,
  dieAt: 6,
  leave: 1,
  stall: 1,
  park: 3,
  sicken: 2,
  badRow: 2,
};

/** How long a process may take to come to the step at which it is to die. Milliseconds. */
const TO_THE_STEP = 3_000;

export interface EmbeddedResult {
  readonly folder: string;
  readonly findings: Findings;
  readonly actions: ReadonlyMap<EmbeddedAction, number>;
  readonly messages: number;
  readonly processes: number;
  readonly strikes: number;
  /** From the last heal until nothing was left. Milliseconds; `undefined` where something was. */
  readonly drained: number | undefined;
}

/** One process at a time, with its messages and states in a folder: killed and started again until the time is over. */
export async function runEmbedded(folder: string, options: RunOptions, progress: Progress): Promise<EmbeddedResult> {
  const data = join(folder, 'data');
  mkdirSync(folder, { recursive: true });
  const recorder = new FileRecorder(folder, 'nemesis');
  const plan = planOf(folder, data, options);
  const view = new LiveView(folder);
  const place = await Place.open('embedded', 0, 'store/embedded-process', plan, undefined, recorder, options.mutant);
  const nemesis = new EmbeddedNemesis(place, plan, view, (line) => progress.say(line));
  try {
    await nemesis.begin();
    const begun = performance.now();
    const length = options.minutes * 60_000;
    const steps = deck(options.seed);
    while (performance.now() - begun < length) {
      view.refresh();
      progress.show((performance.now() - begun) / length, view);
      await nemesis.strike(steps.next().value);
    }
    const healed = performance.now();
    if (!place.occupied) await nemesis.begin();
    place.send({ type: 'finish' });
    const drained = await drain(place, view, progress, options.standstill);
    await place.leave();
    view.refresh();
    const { findings, messages } = await judge(data, plan, view);
    if (!drained) findings.stuck.push('the embedded process');
    const took = drained ? performance.now() - healed : undefined;
    const { done: actions, started: processes } = nemesis;
    return { folder, findings, actions, messages, processes, strikes: view.strikes, drained: took };
  } finally {
    view.close();
    await place.close();
    recorder.close();
  }
}

function planOf(folder: string, data: string, options: RunOptions): PlacePlan {
  const { shards, keys, rate, heartbeat, prefetch, seed } = options;
  const sizes = { shards, keys, publishers: 1, rate, heartbeat, prefetch };
  const store = { url: data, schema: SCHEMA, embedded: true };
  return { folder, prefix: '', quorum: false, ...sizes, work: undefined, claimInterval: 200, seed, store };
}

interface Blow {
  readonly action: EmbeddedAction;
  readonly whom: number;
  readonly much: number;
  readonly more: number;
}

function* deck(seed: number): Generator<Blow, never> {
  const random = new Seeded(seed);
  const whole = EMBEDDED_ACTIONS.flatMap((action) => Array.from({ length: DECK[action] }, () => action));
  for (;;) {
    const rest = [...whole];
    while (rest.length > 0) {
      const [action] = rest.splice(random.below(rest.length), 1);
      yield { action: action!, whom: random.next(), much: random.next(), more: random.next() };
    }
  }
}

class EmbeddedNemesis {
  readonly done = new Map<EmbeddedAction, number>();
  started = 0;

  constructor(
    private readonly place: Place,
    private readonly plan: PlacePlan,
    private readonly view: LiveView,
    private readonly say: (line: string) => void,
  ) {}

  async begin(): Promise<void> {
    this.started++;
    await this.place.start();
  }

  /** Resolves when it is over and a process runs again. */
  async strike({ action, whom, much, more }: Blow): Promise<void> {
    const { place } = this;
    const keys = this.view.busiest();
    const key = keys[Math.floor(whom ** 2 * keys.length)];
    await sleep(200 + much * 1_500);
    if (key === undefined) return;
    if (await this.act(action, key, much, more)) this.done.set(action, (this.done.get(action) ?? 0) + 1);
    if (!place.occupied) await this.begin();
  }

  private async act(action: EmbeddedAction, key: string, much: number, more: number): Promise<boolean> {
    const { place } = this;
    switch (action) {
      case 'kill':
        this.say(`kill ${place.current}`);
        await place.kill();
        return true;
      case 'early':
        return this.killEarly(much);
      case 'dieAt':
        return this.dieAt(more);
      case 'leave':
        this.say(`leave ${place.current}`);
        await place.leave();
        return true;
      case 'stall':
        place.stop('stall');
        await sleep(500 + much * 8_000);
        place.continue();
        return true;
      case 'park':
        return this.marked(heldMark(key), 300 + much * 2_000, () =>
          place.send({ type: 'signal', key, call: 'park', wait: 0, timeout: 3_000 }),
        );
      case 'sicken':
        return this.marked(sickMark(key), 500 + much * 2_000);
      case 'badRow':
        this.say(`the database refuses the state of ${key}`);
        place.send({ type: 'spoil', key, length: 200 + much * 2_000 });
        return true;
    }
  }

  /** In the middle of its start. */
  private async killEarly(much: number): Promise<boolean> {
    const { place } = this;
    await place.kill();
    this.started++;
    const starting = place.start();
    await Promise.race([starting, sleep(much * 8_000)]);
    this.say(`kill ${place.current}, which is ${place.up ? 'up' : 'starting'}`);
    await place.kill();
    await starting;
    return true;
  }

  private async dieAt(share: number): Promise<boolean> {
    const point = POINTS[Math.floor(share * POINTS.length)]!;
    const name = this.place.current;
    const died = (await this.place.strikeAt(point, 'die', TO_THE_STEP)) !== undefined;
    this.say(died ? `${name} died ${point}` : `nobody came to '${point}'`);
    return died;
  }

  private async marked(name: string, length: number, act?: () => void): Promise<true> {
    const mark = join(this.plan.folder, name);
    this.say(name);
    writeFileSync(mark, '');
    act?.();
    await sleep(length);
    rmSync(mark, { force: true });
    return true;
  }
}

/** Returns whether nothing is left; `false` once nothing has moved for long. */
async function drain(place: Place, view: LiveView, progress: Progress, standstill: number): Promise<boolean> {
  let moved = performance.now();
  let before = -1;
  while (!place.quiet) {
    await sleep(100);
    view.refresh();
    progress.show(1, view);
    if (view.done !== before) moved = performance.now();
    before = view.done;
    if (performance.now() - moved > standstill) return false;
  }
  return true;
}

async function judge(data: string, plan: PlacePlan, view: LiveView): Promise<{ findings: Findings; messages: number }> {
  const pglite = new PGlite(data);
  try {
    const database = {
      rows: async <T extends object>(sql: string, params?: readonly unknown[]): Promise<T[]> =>
        (await pglite.query<T>(sql, [...(params ?? [])])).rows,
    };
    const expected = expectedOf({ published: view.published, enqueued: await enqueuedCounts(database) }, plan);
    const findings = audit(await readBooks(database, SCHEMA, plan.keys), expected);
    findings.crashed.push(...view.crashed);
    return { findings, messages: expected.messages };
  } finally {
    await pglite.close();
  }
}

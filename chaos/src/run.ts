import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import {
  checkHistory,
  FileRecorder,
  monotonic,
  readHistory,
  type HistoryEvent,
  type Limits,
  type Promised,
  type Verdict,
} from '@mississippi/history';
import { Crew } from './crew.js';
import { expectWhole } from './faults/broker-trouble.js';
import { Witness } from './faults/witness.js';
import { LiveView } from './live-view.js';
import { Nemesis } from './nemesis.js';
import { Operator } from './operator.js';
import type { PlacePlan } from './place.js';
import type { Progress } from './progress.js';
import { ATTEMPTS, DRAIN_TIMEOUT, handlerTimeoutOf } from './protocol.js';
import { messagesIn } from './queues.js';
import { schedule, type Action } from './schedule.js';
import type { Findings } from './store/audit.js';
import { SCHEMA, type Database } from './store/database.js';
import { Letters } from './store/letters.js';
import { Replays } from './store/replays.js';
import { StoreSide } from './store/store-side.js';
import { Service, type Unserved } from './service.js';

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
  /** After how long the broker takes a delivery back. Milliseconds; `undefined`: its default, half an hour. */
  readonly consumerTimeout: number | undefined;
  readonly actions: readonly Action[];
  /** Bounds of the waits between faults. Milliseconds. */
  readonly shortest: number;
  readonly longest: number;
  /** Where the workers are to be mutants. */
  readonly mutant: string | undefined;
  /** How long the run waits at its end while nothing moves. Milliseconds. */
  readonly standstill: number;
  /** It ends, without coming to rest, as soon as one of these seems broken. */
  readonly until?: readonly Promised[];
}

export interface RunResult {
  readonly folder: string;
  readonly events: readonly HistoryEvent[];
  readonly verdict: Verdict;
  readonly unserved: readonly Unserved[];
  /** It did not come to rest, because it had shown what it was to show: what is left says nothing. */
  readonly cutShort: boolean;
  readonly actions: ReadonlyMap<Action, number>;
  /** How often the broker was seen to have what was done, of the actions about which it was asked. */
  readonly seen: ReadonlyMap<Action, number>;
  readonly missed: number;
  /** How often a process was struck at each step, where there is a store. */
  readonly struck: ReadonlyMap<string, number>;
  /** From the last heal until nothing was left. Milliseconds; `undefined` where something was. */
  readonly drained: number | undefined;
}

export interface StoreResult extends Omit<RunResult, 'events' | 'verdict'> {
  readonly findings: Findings;
  /** Messages that had an effect, passed-on ones among them. */
  readonly messages: number;
  readonly discarded: number;
  /** Dead letters that are there more than once, which may be. */
  readonly copies: number;
  /** Of the dead letters so many were replayed. */
  readonly replays: number;
  /** How long successors of frozen transactions took. Milliseconds. */
  readonly successions: readonly number[];
  /** How often a planted fault struck. */
  readonly strikes: number;
}

/** How often it looks. Milliseconds. */
const LOOK = 100;

/** How often keys that are set aside are resumed: whoever takes a shard over finds them held again. Milliseconds. */
const RESUME = 1_000;

/** How long everything may take to be handled before the broker is wiped. Milliseconds. */
const CALM = 30_000;

/** What a signal's caller may be kept waiting beyond its time-out, on a busy machine. Milliseconds. */
const SIGNAL_DELAY = 5_000;

/** How long the news of a signal's start may take on a busy machine: longer than callers wait for it. Milliseconds. */
const SIGNAL_NOTICE = 1_000;

/** One run: start, break, heal, drain, check. The folder must not exist. */
export function run(node: RabbitMqNode, folder: string, options: RunOptions, progress: Progress): Promise<RunResult> {
  return inField(node, undefined, folder, options, progress, async (running, drained, rest) => {
    const { recorder, plan, crew } = running;
    if (!rest.cutShort) await expectWhole(running.witness, recorder, patienceOf(options));
    for (const text of timeOutsOf(node).slice(running.tookBack.length)) recorder.record({ type: 'tookBack', text });
    if (!rest.cutShort) await crew.leave();
    return { folder, ...judged(folder, plan), ...rest, drained };
  });
}

/** The same with a store, in a database of its own. What it has at the end tells whether every promise held. */
export function runWithStore(
  node: RabbitMqNode,
  database: Database,
  folder: string,
  options: RunOptions,
  progress: Progress,
): Promise<StoreResult> {
  return inField(node, database, folder, options, progress, async (running, drained, rest) => {
    const { view, crew, store, letters } = running;
    if (!rest.cutShort) await crew.leave();
    view.refresh();
    const findings = await store!.findings();
    if (drained === undefined && !rest.cutShort) findings.stuck.push(await store!.progress());
    const copies = [...letters.ids.values()].reduce((sum, count) => sum + count - 1, 0);
    const { messages, letters: discarded } = await store!.expected();
    const [{ times }, { unserved }] = [view.succession, view.service];
    const replays = store!.replays.chosen.size;
    const counts = { messages, discarded: discarded.size, copies, replays, successions: times };
    return { folder, findings, unserved, strikes: view.strikes, ...counts, ...rest, drained };
  });
}

async function inField<Result>(
  node: RabbitMqNode,
  database: Database | undefined,
  folder: string,
  options: RunOptions,
  progress: Progress,
  judge: (
    running: Running,
    drained: number | undefined,
    rest: Pick<RunResult, 'actions' | 'seen' | 'missed' | 'struck' | 'cutShort'>,
  ) => Promise<Result>,
): Promise<Result> {
  mkdirSync(folder, { recursive: true });
  const recorder = new FileRecorder(folder, 'nemesis');
  const plan = planOf(folder, options, database);
  const crew = await Crew.open(node, plan, options.processes, recorder, options.mutant);
  const witness = new Witness({ ...plan, url: node.url });
  const watched = database === undefined ? options.until : undefined;
  const view = new LiveView(folder, watched, limitsOf(plan));
  const letters = new Letters(witness);
  const inQueues = (): Promise<number> => messagesIn(node.url, plan.prefix, plan.shards);
  const running: Running = {
    node,
    recorder,
    plan,
    crew,
    operator: new Operator(crew.publishers),
    witness,
    tookBack: timeOutsOf(node),
    view,
    letters,
    inQueues,
    store:
      database && new StoreSide(database, view, letters, new Replays(letters, crew.publishers, plan), plan, inQueues),
  };
  try {
    await crew.start();
    await database?.watchStates();
    const { nemesis, cutShort } = await breakThings(running, options, progress);
    const healedAt = performance.now();
    const left = cutShort ? view.pending.size : await comeToRest(running, options.standstill, progress);
    recorder.record({ type: left === 0 && !cutShort ? 'drained' : 'stuck', messages: left });
    const drained = left === 0 ? performance.now() - healedAt : undefined;
    const { done: actions, seen, missed, struck } = nemesis;
    return await judge(running, drained, { actions, seen, missed, struck, cutShort });
  } finally {
    view.close();
    await crew.close();
    recorder.close();
  }
}

/** What a run is made of while it goes on. */
interface Running {
  readonly node: RabbitMqNode;
  readonly recorder: FileRecorder;
  readonly plan: PlacePlan;
  readonly crew: Crew;
  readonly operator: Operator;
  readonly witness: Witness;
  /** What the broker's log said of that before. */
  readonly tookBack: readonly string[];
  readonly view: LiveView;
  readonly letters: Letters;
  readonly inQueues: () => Promise<number>;
  /** Where there is one. */
  readonly store: StoreSide | undefined;
}

/**
 * How long the app may take until all is there again, and served: a shard that could not be claimed rests for 30 s at most.
 * Milliseconds.
 */
function patienceOf({ standstill }: RunOptions): number {
  return standstill * 1.5;
}

/** Lines of the broker's log that tell of deliveries which it took back. */
function timeOutsOf(node: RabbitMqNode): string[] {
  return node
    .logged()
    .split('\n')
    .filter((line) => /has timed out waiting/.test(line));
}

function planOf(folder: string, options: RunOptions, database: Database | undefined): PlacePlan {
  const { shards, keys, publishers, rate, heartbeat, prefetch, seed, quorum, consumerTimeout } = options;
  const prefix = `chaos${process.pid}_${Math.floor(monotonic())}_`;
  const store = database && { url: database.url, schema: SCHEMA };
  const sizes = { shards, keys, publishers, rate, heartbeat, prefetch };
  return { folder, prefix, quorum, ...sizes, work: undefined, claimInterval: 200, consumerTimeout, seed, store };
}

/** Follows the schedule for its time. Returns whether it was cut short. */
async function breakThings(
  running: Running,
  options: RunOptions,
  progress: Progress,
): Promise<{ nemesis: Nemesis; cutShort: boolean }> {
  const { crew, operator, node, recorder, witness, plan, view, store } = running;
  const { folder, heartbeat } = plan;
  const patience = patienceOf(options);
  const calm = (): Promise<boolean> => comeToCalm(running);
  const told = { database: store?.database, replays: store?.replays, succession: view.succession };
  const { handlerTimeout = Infinity } = handlerTimeoutOf(plan);
  const limits = { patience, heartbeat: heartbeat * 1_000, handlerTimeout };
  const parts = { operator, node, recorder, witness, folder, ...limits, ...told };
  const field = { ...crew, ...parts, calm, goOn: () => crew.goOn(), busiest: () => view.busiest() };
  const nemesis = new Nemesis(field, (line) => progress.say(line));
  const following = nemesis.follow(schedule(options));
  // With a store the workers do it themselves.
  const resume = store === undefined && setInterval(() => resumeAside(running, nemesis.held), RESUME);
  const cutShort = await watch(view, progress, options.minutes * 60_000);
  progress.say('the nemesis stops; everything is healed');
  await nemesis.stop();
  await following;
  if (resume !== false) clearInterval(resume);
  return { nemesis, cutShort };
}

/** Resumes what nobody wants to be set aside. */
function resumeAside({ view, operator }: Running, held: ReadonlySet<string>): void {
  for (const [key, count] of view.aside) if (count > 0 && !held.has(key)) operator.signal(key, 'resume');
}

/** Publishes nothing until everything is handled and settled. Returns whether it came to that; else it publishes again. */
async function comeToCalm({ crew, view, inQueues, store }: Running): Promise<boolean> {
  store?.replays.again();
  crew.pause();
  const end = performance.now() + CALM;
  while (performance.now() < end) {
    await sleep(LOOK);
    view.refresh();
    if (!crew.quiet) continue;
    if (store !== undefined) {
      if (await store.isDone()) return true;
      continue;
    }
    if (view.pending.size > 0) continue;
    // Acks and dead letters that are on their way arrive meanwhile.
    await sleep(LOOK);
    if ((await inQueues()) === 0) return true;
  }
  crew.goOn();
  return false;
}

/** Publishes no more, and lets everything be handled. Returns how many messages are left and do not move. */
async function comeToRest(running: Running, standstill: number, progress: Progress): Promise<number> {
  const { crew, store } = running;
  await crew.start();
  store?.replays.again();
  crew.finish();
  const left = await (store === undefined ? drain : drainStore)(running, progress, standstill);
  progress.say(left === 0 ? 'everything is drained; the processes leave' : `${left} messages do not move`);
  if (left > 0) progress.say(`what the broker has is in ${await keepBrokersView(running)}`);
  return left;
}

/** Who consumes what, while it lasts: whoever must find out why a shard is not served needs it. */
async function keepBrokersView({ node, plan }: Running): Promise<string> {
  const file = join(plan.folder, 'broker.txt');
  const questions = [
    ['list_queues', 'name', 'type', 'state', 'messages_ready', 'messages_unacknowledged', 'consumers', 'owner_pid'],
    ['list_consumers', 'queue_name', 'channel_pid', 'consumer_tag', 'prefetch_count', 'active', 'activity_status'],
    ['list_channels', 'pid', 'connection', 'number', 'consumer_count', 'messages_unacknowledged'],
    ['list_connections', 'pid', 'name', 'state', 'client_properties'],
  ] as const;
  for (const [command, ...columns] of questions) {
    const answer = await node.ask(command, ...columns).catch(String);
    appendFileSync(file, `# ${command} ${columns.join(' ')}\n${answer}\n`);
  }
  return file;
}

function judged(folder: string, plan: PlacePlan): Pick<RunResult, 'events' | 'verdict' | 'unserved'> {
  const events = readHistory(folder);
  const service = new Service();
  for (const event of events) service.see(event);
  const verdict = checkHistory(events, limitsOf(plan));
  return { events, verdict, unserved: service.unserved };
}

function limitsOf(plan: PlacePlan): Limits {
  return {
    prefetch: plan.prefetch,
    attempts: ATTEMPTS,
    drainTimeout: DRAIN_TIMEOUT,
    signalDelay: SIGNAL_DELAY,
    signalNotice: SIGNAL_NOTICE,
    mayRefuse: false,
  };
}

/** Returns whether one of the promises that are watched seemed broken before the time was over. */
async function watch(view: LiveView, progress: Progress, length: number): Promise<boolean> {
  const begun = performance.now();
  for (let elapsed = 0; elapsed < length; elapsed = performance.now() - begun) {
    await sleep(LOOK);
    view.refresh();
    progress.show(elapsed / length, view);
    if (view.seemsBroken) return true;
  }
  return false;
}

/** Waits until all is confirmed, handled and out of the queues; or until nothing has moved for long. Returns what is left. */
async function drain(
  { view, crew, operator, inQueues }: Running,
  progress: Progress,
  standstill: number,
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
      for (const key of view.aside.keys()) operator.signal(key, 'resume');
    }
    await sleep(LOOK);
  }
}

/** The same by what the database has. Returns 1 where something is left and does not move. */
async function drainStore({ view, crew, store }: Running, progress: Progress, standstill: number): Promise<number> {
  let moved = performance.now();
  let before = '';
  for (;;) {
    view.refresh();
    progress.show(1, view);
    if (crew.quiet && (await store!.isDone())) return 0;
    const state = `${view.confirmed} ${await store!.progress()}`;
    if (state !== before) moved = performance.now();
    before = state;
    if (performance.now() - moved > standstill) return 1;
    await sleep(LOOK * 5);
  }
}
